"""Pages: templates in the reader's language and taste, with what every page has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from callwright.console.static_files import StaticFiles
from callwright.console.translations import LANGUAGES, Language, language
from callwright.console.visitor import Taste, Visitor
from callwright.texts import N_

MENU: Final = {
    "now": N_("Now"),
    "journal": N_("Journal"),
    "health": N_("Health"),
}
"The pages of the menu, by their paths, in its order."


class Templates(Environment):
    install_gettext_translations: Callable[..., None]
    "What the extension adds."


@cache
def templates(code: str) -> Templates:
    """Templates in a language; whatever they show is escaped, unless they say otherwise."""
    made = Templates(
        loader=PackageLoader("callwright.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(language(code).texts, newstyle=True)
    return made


@dataclass(frozen=True, slots=True)
class Pages:
    """``base``: the path the console is below."""

    base: str
    static: StaticFiles

    def fragment(self, spoken: Language, template: str, facts: Mapping[str, object]) -> str:
        """A piece of a page."""
        return (
            templates(spoken.code)
            .get_template(template)
            .render(**facts, base=self.base, language=spoken)
        )

    def page(
        self,
        template: str,
        visitor: Visitor,
        facts: Mapping[str, object],
        *,
        here: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        """A page for somebody who has signed in. ``here``: its place in the menu."""
        own = {"visitor": visitor, "here": here, "menu": MENU, "csrf": visitor.csrf}
        return self._whole(template, visitor.taste, {**facts, **own}, status)

    def open_page(
        self, template: str, taste: Taste, facts: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """A page for anybody."""
        return self._whole(template, taste, {**facts, "visitor": None, "here": ""}, status)

    def _whole(
        self, template: str, taste: Taste, facts: Mapping[str, object], status: int
    ) -> HTMLResponse:
        common = {"static": self.static.url, "taste": taste, "languages": LANGUAGES}
        text = self.fragment(taste.language, template, {**facts, **common})
        # What no Unicode has a place for is shown as "?".
        return HTMLResponse(text.encode("utf-8", "replace"), status)
