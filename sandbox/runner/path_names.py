"""/mnt/data where there can be no such folder: without a mount namespace. In the code, texts that name it are changed to the
real path before it runs; what it prints is changed back."""
import ast

DATA = "/mnt/data"


class PathNames:
    def __init__(self, real):
        self._real = real

    def use(self, tree):
        """The syntax tree with the real path in all texts."""
        return ast.fix_missing_locations(_Rename(self._real).visit(tree))

    def show(self, text):
        return text.replace(self._real, DATA)

    def beginning_at_end(self, text):
        """How many characters at the end of a text may be the beginning of the real path."""
        for length in range(min(len(self._real) - 1, len(text)), 0, -1):
            if text.endswith(self._real[:length]):
                return length
        return 0


class _Rename(ast.NodeTransformer):
    def __init__(self, real):
        self._real = real

    def visit_Constant(self, node):
        if isinstance(node.value, str) and DATA in node.value:
            return ast.copy_location(ast.Constant(node.value.replace(DATA, self._real)), node)
        if isinstance(node.value, bytes) and DATA.encode() in node.value:
            return ast.copy_location(ast.Constant(node.value.replace(DATA.encode(), self._real.encode())), node)
        return node
