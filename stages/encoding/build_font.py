"""One-off: cut the letters that labels need out of Noto Sans SC and write them as `data/fonts/label.otf`.

The source is the font inside the wheel `pylopdf-fonts-zh-cn` (0.1.1; Noto Sans SC 2.004, SIL Open Font License 1.1),
which is needed here only and is no dependency of the pipeline: `pip install pylopdf-fonts-zh-cn==0.1.1`, then
`python -m stages.encoding.build_font`. It keeps the letters of Western Europe, Greek and Cyrillic, and the
Chinese words by which a label says that something was made or altered by AI; the whole font has 8 MB.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any, Final

from fontTools import subset
from fontTools.ttLib import TTFont

from stages.encoding.lettering import FONT

CHINESE: Final = "由本该此为含使用人工智能生成合成技术内容视频图像换脸修改标识：、，。（）"
LETTERS: Final = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x386, 0x3CF), *range(0x400, 0x460)]
"""ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic, as far as the font has them."""

NAME: Final = "Likeness Label"
"""A changed font has a name of its own."""


def main() -> None:
    """Read the wheel's font and write ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FONT)
    out: Path = parser.parse_args().out
    spec = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        raise SystemExit("the wheel is not installed: pip install pylopdf-fonts-zh-cn==0.1.1")
    out.parent.mkdir(parents=True, exist_ok=True)
    cut(Path(spec.origin).parent / "NotoSansSC-Regular.otf").save(out)


def cut(path: Path) -> Any:
    """The font with our letters alone, under our name; the same bytes every time."""
    options = subset.Options(hinting=False, layout_features=["kern"], name_IDs=[0, 1, 2, 3, 4, 5, 6, 7, 13, 14])
    font = TTFont(path, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[*LETTERS, *map(ord, CHINESE)])
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4):
            record.string = NAME
        elif record.nameID == 6:
            record.string = NAME.replace(" ", "")
    font["CFF "].cff.fontNames = [NAME.replace(" ", "")]
    return font


if __name__ == "__main__":
    main()
