"""Posts to measure with: made from small samples, always the same, so that nobody needs data from elsewhere.

Each is the beginning of one sample and the end of another, with the handles, numbers, links and emoji that posts have;
one in ten names the sample brand of the shipped rules.yaml. Their words are those of real complaints, praise and noise, so
that topics and the words of the sentiment lexicon are found about as often as in a stream about a brand.
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TWEET = 280
"""Characters of the longest post."""

_SEED = 20260302
_BRAND_EVERY = 10
_DECORATIONS = (
    "@{n}",
    "#{n}",
    "https://x.example/{n}",
    "😡",
    "❤️",
    "!!",
    "lol",
    "order {n}",
    "since {n} min",
    "😂😂",
    "?!",
)


def english(count: int) -> list[str]:
    """Tweet-length posts in English, about 100 characters each."""
    sample = (ROOT / "tests" / "data" / "posts.en.jsonl").read_text(encoding="utf-8")
    texts = [json.loads(line)["text"] for line in sample.splitlines()]
    return _spliced([text for text in texts if len(text) <= TWEET], count, brand="Firefox")


def korean(count: int) -> list[str]:
    """Posts in Korean, about 50 characters each."""
    return _spliced(KOREAN, count, brand="파이어폭스")


def long_english(count: int, length: int = 1_000) -> list[str]:
    """Texts of exactly `length` characters, run together from posts."""
    posts = english(count * (length // 60 + 1))
    text = " ".join(posts)
    return [text[place * length : (place + 1) * length] for place in range(count)]


def json_lines(texts: Sequence[str]) -> str:
    """What `listener triage` reads."""
    return "".join(
        json.dumps({"id": f"p{number}", "text": text}, ensure_ascii=False) + "\n" for number, text in enumerate(texts)
    )


def _spliced(samples: Sequence[str], count: int, *, brand: str) -> list[str]:
    dice = random.Random(_SEED)
    return [_splice(samples, dice, brand if number % _BRAND_EVERY == 0 else "") for number in range(count)]


def _splice(samples: Sequence[str], dice: random.Random, brand: str) -> str:
    first, second = (dice.choice(samples).split() for _ in range(2))
    decoration = dice.choice(_DECORATIONS).format(n=dice.randrange(10_000)) if dice.random() < 0.5 else ""
    words = [brand, *first[: (len(first) + 1) // 2], *second[len(second) // 2 :], decoration]
    return " ".join(filter(None, words))[:TWEET]


KOREAN = (
    "결제가 두 번 됐는데 고객센터는 세 번이나 전화해도 안 받네요. 환불 언제 해주시나요?",
    "앱 업데이트하고 나서 로그인이 계속 풀려요 ㅠㅠ 저만 그런가요?",
    "어제 주문한 거 오늘 새벽에 왔어요. 포장도 꼼꼼하고 진짜 빠르네요 감사합니다",
    "배송 조회가 일주일째 그대로예요. 물건은 어디 있는 건가요",
    "이번 이벤트 쿠폰 어디서 받는지 아시는 분 계신가요?",
    "지금 접속 안 되는 거 저뿐인가요? 결제하려는데 먹통이네요 아 진짜",
    "상담원분이 정말 친절하게 끝까지 도와주셔서 바로 해결됐어요",
    "구독 해지 버튼을 왜 이렇게 숨겨 놨어요? 해지했는데 또 빠져나갔습니다",
    "충전기에서 타는 냄새가 나서 바로 뽑았습니다. 무서워서 못 쓰겠어요",
    "주말에 친구들이랑 다녀왔는데 분위기 좋고 음식도 맛있었어요 ㅎㅎ",
    "매장 직원 태도가 너무 불쾌했습니다. 소비자원에 신고하려고요",
    "새로 나온 색상 예쁘긴 한데 가격이 좀 부담스럽네요",
    "계정이 해킹당한 것 같아요. 모르는 기기에서 로그인했다고 떠요",
    "설정에서 다크 모드로 바꾸는 방법 좀 알려주세요",
    "불량품 교환 신청했더니 3주째 처리 중이라고만 하네요. 답답합니다",
    "와 이번 패치로 배터리 오래가네 칭찬해",
    "광고가 너무 많아져서 이제 안 쓸 것 같아요. 다른 걸로 갈아탑니다",
    "오늘 점심은 회사 앞 김치찌개 ㅋㅋㅋ 역시 월요일엔 이거지",
    "환불 규정에 분명히 7일이라고 써 있는데 왜 안 된다는 건지 설명도 없어요",
    "가입한 지 하루 만에 탈퇴합니다. 인증 문자가 아예 안 와요",
)
"""Written for this purpose, in the manner of reviews and posts."""
