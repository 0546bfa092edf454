"""Docstrings that take over what bases say of their parameters."""

import inspect

import forecastkit as fk
from forecastkit.utils.docstrings import inherit_parameters, parameter_entries


class Base:
    """A base.

    Parameters
    ----------
    a, b : int
        Two of the same kind.
    c : float
        Said by the base.

    Notes
    -----
    Of the base.
    """


class Child(Base):
    """A child.

    Parameters
    ----------
    d : str
    c : float
        Said by the child.

    References
    ----------
    A paper.
    """


class Silent(Base):
    """A class without a section.

    Notes
    -----
    Its own.
    """


def test_a_class_documents_the_parameters_of_its_bases():
    inherit_parameters(Child)
    assert inspect.getdoc(Child) == (
        "A child.\n\nParameters\n----------\nd : str\nc : float\n    Said by the child.\na, b : int\n"
        "    Two of the same kind.\n\nReferences\n----------\nA paper."
    )


def test_a_section_is_added_before_the_first_one_and_doing_it_twice_changes_nothing():
    inherit_parameters(Silent, {"First": ["c"], "Others": []})
    once = inspect.getdoc(Silent)
    assert once == (
        "A class without a section.\n\nParameters by subject:\n\n- First: `c`.\n- Others: `a`, `b`.\n\n"
        "Parameters\n----------\nc : float\n    Said by the base.\na, b : int\n    Two of the same kind.\n\n"
        "Notes\n-----\nIts own."
    )
    inherit_parameters(Silent, {"First": ["c"], "Others": []})
    assert inspect.getdoc(Silent) == once


def test_a_class_without_a_docstring_stays_without():
    bare = type("Bare", (Base,), {})
    inherit_parameters(bare)
    assert bare.__doc__ is None


def test_parameters_of_networks_are_listed_by_subject():
    names = [name for entry in parameter_entries(fk.GRUForecaster.__doc__) for name in entry.names]
    assert names.index("horizon") < names.index("epochs") < names.index("units")
    assert set(names) == set(inspect.signature(fk.GRUForecaster).parameters)
    for subject in ("Data: `horizon`", "Training: `loss`", "Network: `patch`"):
        assert f"- {subject}" in fk.GRUForecaster.__doc__
