"""What the reference documents, and links from short forms of public names."""

import importlib


def own_methods(module, name, methods):
    """Return the methods of a class that this package defines and documents."""
    cls = getattr(importlib.import_module(module), name)
    owners = {
        method: next((one for one in cls.__mro__ if method in vars(one)), object)
        for method in methods
        if not method.startswith("_")
    }
    return [
        method
        for method, owner in owners.items()
        if owner.__module__.startswith("sklearn_ser")
        # Requests of metadata, which scikit-learn generates.
        and not (method.startswith("set_") and method.endswith("_request"))
        and getattr(cls, method).__doc__
    ]


def resolve_short_name(app, env, node, contnode):
    """Link a public name by its short forms: ``sklearn_ser.adapt``, ``CorpusScaler.fit``."""
    # Sphinx brings docutils; the tests, which run this file, need neither.
    from docutils import nodes

    name = node["reftarget"].removeprefix("sklearn_ser.")
    is_parameter = name == node["reftarget"] and name.islower() and "_" not in name
    if node["refdomain"] != "py" or is_parameter:
        return None
    objects = env.get_domain("py").objects
    found = [
        full
        for full in objects
        if full.startswith("sklearn_ser.") and full.split(".", 2)[-1] == name
    ]
    if len(found) != 1:
        return None
    entry = objects[found[0]]
    reference = nodes.reference("", "", internal=True, reftitle=found[0])
    reference["refuri"] = (
        app.builder.get_relative_uri(node["refdoc"], entry.docname) + f"#{entry.node_id}"
    )
    reference += contnode
    return reference
