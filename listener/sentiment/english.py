"""Is a text in Latin letters plausibly English? A cheap test for sources that do not name the language.

Function words tell languages apart even in short posts, because no post goes far without them. In doubt the answer is no:
a text that is not read is "unknown", and people look at it; one that is misread looks calm.

Measured on posts whose language is known. Taken for English: 98.8 % of 12,900 English posts (airline complaints 99.9 %,
news tweets 97 %); 5 % of 2,200 tweets in Spanish, French, German, Italian and Portuguese, most of them English in truth or
nearly without words; one of 510 longer posts in these languages. It takes about 5 microseconds.
"""

import re
from functools import lru_cache

_ENGLISH_WORDS = """
    the and of to is was are were be been being it its it's i i'm i've i'll i'd my me your you you're you've we we're our
    us they they're their them he she his her this that that's these those there there's here what what's which who when
    where why how if then than because about with without from for by at on into over under after before until while again
    just only very too so no not don't doesn't didn't can't cannot couldn't won't wouldn't isn't aren't wasn't weren't
    haven't hasn't hadn't shouldn't ain't dont cant wont didnt im ive u ur have has had having do does did doing done can
    could will would should might must may get got getting going gonna go went come make made take took need want think
    know see say said says like love hate good great best better bad worst worse never always ever still already now today
    tomorrow yesterday tonight day days week weeks month months year years hour hours time first last next new old one two
    all any some every each other another same such more most many much few little please thank thanks thx sorry yes yeah
    nope ok okay lol wtf omg well really people anyone someone everyone something anything everything nothing way thing
    things off out up down back a an or but as also happy wait waiting work works working worked fix fixed help service
    customer support app account phone call called
"""

_FOREIGN = {
    "Spanish": """que de la el los las un una unos y e en es por con para como pero mas más muy mi tu su se lo le les al del
        está esta este estos eso esto ese hay ya yo te nos si sí sin sobre cuando donde porque qué cómo soy eres son ser fue
        han hasta todo todos nada gracias hoy bien siempre también tan quiero tengo tiene""",
    "French": """le les des du et est une dans pour sur pas qui au aux avec ce cette ces je tu il elle nous vous ils mais ou
        où donc ne n'est c'est j'ai d'un d'une qu'il plus par sont été être avoir fait tout tous très merci mon ma mes ton
        ta tes son sa ses leur comme aussi encore même rien""",
    "German": """der die das und ist nicht ich du er sie wir ihr ein eine einen einem einer den dem des zu im mit auf für von
        auch aber oder wenn wie wer wo noch nur schon mal mich mir dich dir uns euch sich es bin bist sind war waren hat
        habe haben wird werden kann doch dann da bei nach aus zum zur über heute immer mehr kein keine sehr danke""",
    "Portuguese": """o os um uma uns umas não nao em na nos nas com mais meu minha seu sua isso esse essa eu você voce vc ele
        ela eles foi tem tá tô pra pro dos das ao já muito tudo bom quando quem só até hoje""",
    "Italian": """il gli di che non è uno per della dei delle nel nella alla sono sei ho hai ci ti più anche questo questa
        quello perché cosa tutto tutti molto bene oggi sempre grazie""",
    "Dutch": "het een van ik je dat niet op te zijn voor er maar om ook als bij nog wat wel naar dan hoe geen",
    "Turkish": "ve bir bu için çok daha gibi kadar var yok değil mi",
    "Indonesian": "yang ini itu untuk dengan tidak ada saya aku kamu dari ke bisa sudah udah gak nggak",
    "romanised Hindi": """hai ka ki ko hain nahi nahin kya bhi aur mein thi kar raha rahi rahe gaya yeh ye woh koi apne apna
        jo sab kuch toh bahut""",
    "Scandinavian": "på och att det som är för med inte jag og til av af ikke jeg",
}
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_ONLY_FOREIGN = frozenset(word for words in _FOREIGN.values() for word in words.split()) - _ENGLISH

_ENOUGH = 500
_TOKEN = re.compile(r"https?://\S+|[@#]\w+|[^\W\d_]+(?:'[^\W\d_]+)?")
_ENGLISH_ENDING = re.compile(r"\b[a-z]{2,}(?:ing|ed|ly|ness|'s)\b")
_TOO_FEW_TO_TELL = 4


@lru_cache(maxsize=4)  # every model asks in turn
def plausibly_english(text: str) -> bool:
    """Do its first 500 characters hold more English function words than foreign ones, or too few words to tell?

    A word with a letter beyond ASCII counts as foreign. Links, handles and hashtags say nothing about the language.
    """
    beginning = text[:_ENOUGH].lower().replace("’", "'")
    words = frozenset(_TOKEN.findall(beginning))
    english = len(_ENGLISH & words)
    foreign = len(_ONLY_FOREIGN & words)
    if not beginning.isascii():
        foreign += len([word for word in words if not word.isascii() and word not in _ONLY_FOREIGN])
    if english or foreign:
        return english > foreign
    spoken = [word for word in words if word[0] not in "@#" and "://" not in word]
    return len(spoken) <= _TOO_FEW_TO_TELL or _ENGLISH_ENDING.search(beginning) is not None
