"""The mapping kit: what of an event a destination receives, said in JSON.

A mapping is JSON. An object with one `@` key is a directive, everything else stands for itself:

    compile_mapping({"name": {"@path": "$.event"}, "plan": "free"})(event) == {"name": …, "plan": "free"}

`compile_mapping` turns it into nested closures once; an event then costs only their calls. Results are
those of Segment's own package, JavaScript's habits included (see `javascript`): a value that is not there
is `MISSING`, which objects leave out and lists show as null.

The room, in reading order:

    compiler    literals, objects and lists; finds the directive
    paths       @path
    siblings    the paths of an object, taken together
    templates   @template
    conditions  @if
    case        @case
    replace     @replace
    shapes      @arrayPath, @transform
    objects     @flatten, @merge, @excludeWhenNull
    json_text   @json
    liquid      @liquid, by python-liquid, loaded when a mapping first uses it
    gaps        where a missing value may still be inside a result
    javascript  values, numbers and text as JavaScript has them
    checks      the shapes an argument may have
    place       where in the mapping we are; `MappingError`
"""

from relay.destinations.mapping.compiler import compile_mapping
from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.place import MappingError

__all__ = ["MISSING", "MappingError", "compile_mapping"]
