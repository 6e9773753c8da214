"""Just enough reading of C++ for the house tests: text without comments and literals, and where functions begin and end."""
import re
from collections import namedtuple

Function = namedtuple("Function", "name line lines")

TOKEN = re.compile(
    r'R"(?P<tag>[^()\\\s]{0,16})\((?:.|\n)*?\)(?P=tag)"'  # raw string
    r"|//(?:[^\n\\]|\\.|\\\n)*"
    r"|/\*(?:.|\n)*?\*/"
    r'|"(?:[^"\\\n]|\\.|\\\n)*"'
    r"|(?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'"  # not the separator in 1'000
)
# What opens a scope that is not a function body.
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
HEAD = re.compile(r"([~\w:<>\[\]=+*/!|&^%-]*)\s*\(")
MEMBER = re.compile(r"(?:(?<!:):(?!:)|,)\s*\w+\s*$")
VALUE = "value"
CONTROL = {"if", "for", "while", "switch", "catch", "do", "else", "try", "return"}


def blank(text):
    """The text with comments and literals replaced by spaces; every line keeps its number. #include lines lose nothing."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(spaces, text)


def name_of(head):
    match = HEAD.search(head)
    return match.group(1) if match else ""


def opens_function(head):
    """Whether the text between the last `;`, `{` or `}` and this brace is the head of a function or a test."""
    name = name_of(head)
    if "(" not in head or not name or name.split("::")[-1] in CONTROL:
        return False
    before, behind = head[:head.index("(")], head[head.rindex(")") + 1:] if ")" in head else ""
    return not SCOPE.search(before) and not SCOPE.search(behind) and ("operator" in before or not re.search(r"=\s*$", before))


def opens_value(head):
    """Whether this brace is a value within a head: a default argument, or a member in a constructor's list."""
    return "(" in head and (not balanced(head) or bool(MEMBER.search(head)))


def functions(code):
    """The outermost function bodies of blanked code. Lambdas count as part of the function that holds them."""
    found, stack, start = [], [], 0
    for match in re.finditer(r"[{};]|^\s*#(?:[^\n\\]|\\.|\\\n)*", code, re.M):
        token, head = match.group(0), code[start:match.start()]
        inside = any(isinstance(entry, tuple) for entry in stack)
        if token == "{":
            if not inside and opens_value(head):
                stack.append(VALUE)
                continue
            line = code.count("\n", 0, start + len(head) - len(head.lstrip())) + 1
            stack.append((name_of(head), line) if not inside and opens_function(head) else None)
        elif token == "}" and stack:
            entry = stack.pop()
            if entry == VALUE:
                continue
            if entry:
                end = code.count("\n", 0, match.start()) + 1
                found.append(Function(entry[0], entry[1], end - entry[1] + 1))
        start = match.end()
    return found


def balanced(text):
    return text.count("(") == text.count(")")
