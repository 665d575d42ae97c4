from ast import Load, Name, NodeTransformer, copy_location


class ModuleTransformer(NodeTransformer):
    """Adds a decorator to every function, as the innermost one: those of the program see what it makes."""

    def __init__(self, empty_decorator=False):
        self.empty_decorator = empty_decorator

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        name = "instrument_empty" if self.empty_decorator else "instrument"
        decorator = Name(name, ctx=Load())
        # The line of the def, where the function is made: it has none of its own.
        node.decorator_list.append(copy_location(decorator, node))
        return node

    visit_AsyncFunctionDef = visit_FunctionDef
