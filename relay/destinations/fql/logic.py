"""The connectives as closures. Most conditions have one or two terms, so those go without a loop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Read = Callable[[Mapping[str, Any]], Any]
Test = Callable[[Mapping[str, Any]], bool]


def all_of(tests: Sequence[Test]) -> Test:
    """True when every test is; they are asked in order, no further than the first that is false."""
    match tests:
        case [test]:
            return test
        case [first, second]:
            return lambda event: first(event) and second(event)
    many = tuple(tests)

    def every(event: Mapping[str, Any]) -> bool:
        for test in many:  # noqa: SIM110 - `all` would make a generator for each event
            if not test(event):
                return False
        return True

    return every


def any_of(tests: Sequence[Test]) -> Test:
    """True when one test is; they are asked in order, no further than the first that is true."""
    match tests:
        case [test]:
            return test
        case [first, second]:
            return lambda event: first(event) or second(event)
    many = tuple(tests)

    def some(event: Mapping[str, Any]) -> bool:
        for test in many:  # noqa: SIM110 - as above
            if test(event):
                return True
        return False

    return some


def always(_event: Mapping[str, Any]) -> bool:
    return True


def never(_event: Mapping[str, Any]) -> bool:
    return False
