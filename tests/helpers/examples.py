"""Running the examples of docstrings."""

import doctest


def run(test: doctest.DocTest, optionflags: int = 0) -> None:
    """Run the examples; an exception an example was not to raise comes out as it is."""
    try:
        doctest.DebugRunner(verbose=False, optionflags=optionflags).run(test)
    except doctest.UnexpectedException as unexpected:
        raise unexpected.exc_info[1] from None
    except doctest.DocTestFailure as failure:
        example = failure.example
        raise AssertionError(
            f"{failure.test.name}: {example.source.strip()}\nexpected {example.want}\ngot      {failure.got}"
        ) from None
