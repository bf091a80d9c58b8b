"""The values of expressions are shown by the shell they were typed into: `sys.displayhook` is all threads'."""

from __future__ import annotations

import ast

SHOW = "__show__"
"""What the function is called in a shell's namespace that shows a value."""


class _Showing(ast.NodeTransformer):
    """Shows the value of each statement that is an expression, outside of functions and classes."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Show its value."""
        call = ast.Call(ast.Name(SHOW, ast.Load()), [node.value], [])
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)

    def _keep(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _keep  # noqa: N815


def shown(tree: ast.Interactive) -> ast.Module:
    """What does as the interactive interpreter would with `tree`, and calls `SHOW` with each value.

    Args:
        tree: Input that was parsed as interactive.
    """
    return ast.fix_missing_locations(ast.Module([_Showing().visit(each) for each in tree.body], []))
