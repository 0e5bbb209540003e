"""embed.py OUTPUT FILE...: the files as C arrays, each a text ended by NUL: report.css is `const char report_css[]`."""
import pathlib
import sys

output, *files = sys.argv[1:]
lines = ["/* Made by embed.py. */", '#include "timeline/report.h"', ""]
for file in files:
    path = pathlib.Path(file)
    data = path.read_bytes() + b"\0"
    lines.append(f"const char {path.name.replace('.', '_')}[] = {{")
    for start in range(0, len(data), 24):
        # as signed char where bytes are beyond ASCII
        lines.append(" ".join(f"{byte - 256 if byte > 127 else byte}," for byte in data[start:start + 24]))
    lines.append("};")
pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="ascii")
