from __future__ import annotations

import pytest

from renderkiln.domain.access import SCOPES, Scope, allows


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("needed", SCOPES)
def test_each_scope_may_what_those_before_it_may(held: Scope, needed: Scope) -> None:
    assert allows(held, needed) == (SCOPES.index(needed) <= SCOPES.index(held))
