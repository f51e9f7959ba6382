"""The report of all parts that were measured: tables, and plots beside them."""
import html
import os
import statistics
import subprocess

SERVER, CLIENT = "#9aa5b1", "#0f766e"
FONT = 'font-family="sans-serif" font-size="12"'


def machine():
    """What the figures depend on, and nobody remembers later."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    # A program starts as a copy of this script, whose own memory therefore counts as its peak; see execve(2), getrusage(2).
    own_rss = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    versions = {name: subprocess.getoutput(f"{name} --version 2>/dev/null || echo not there").strip("* ") for name in ("postgres", "zstd", "pana")}
    return {"CPU": f"{model}, {os.cpu_count()} cores", "kernel": f"Linux {os.uname().release}", **versions, "own_rss": own_rss}


def markdown_table(heads, rows):
    rows = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def summary(values):
    return f"**{statistics.median(values):.2f}** ({min(values):.2f} – {max(values):.2f})"


def rss(value, own_rss):
    return f"{value:.1f}" if value > own_rss * 1.05 else f"≤ {value:.1f}"


# Plots: plain SVG on white, so that they can be read on a dark page, too.

def svg(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
            f"<title>{html.escape(title)}</title><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
            f'<text x="16" y="24" {FONT} font-weight="bold">{html.escape(title)}</text>{body}</svg>\n')


def text_at(x, y, text, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" {FONT} text-anchor="{anchor}">{html.escape(text)}</text>'


def bars(title, rows):
    """rows: a label, the parts of its bar as (value, colour), and the text behind it."""
    left, full, step = 240, 290, 26
    longest = max(sum(value for value, _ in parts) for _, parts, _ in rows)
    body = []
    for place, (label, parts, text) in enumerate(rows):
        x, y = float(left), 40 + place * step
        body.append(text_at(left - 8, y + 14, label, "end"))
        for value, colour in parts:
            width = full * value / longest
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>')
            x += width
        body.append(text_at(x + 6, y + 14, text))
    return svg(800, 52 + len(rows) * step, title, "".join(body))


def lines(title, ticks, series, unit):
    """series: a name, a colour, a value for each tick; the scale begins at 0."""
    left, bottom, width, height = 56, 210, 460, 160
    top = 1.15 * max(value for _, _, values in series for value in values)
    places = [left + width * (place + 0.5) / len(ticks) for place in range(len(ticks))]
    body = [f'<path d="M{left} {bottom - height}V{bottom}H{left + width}" stroke="#444" fill="none"/>', text_at(left - 6, bottom - height, unit, "end")]
    body += [text_at(x, bottom + 18, tick, "middle") for x, tick in zip(places, ticks)]
    for row, (name, colour, values) in enumerate(series):
        points = [(x, bottom - height * value / top) for x, value in zip(places, values)]
        body.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), value in zip(points, values):
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' + text_at(x, y - 9, f"{value:.3g}", "middle"))
        body.append(f'<rect x="{left + width + 20}" y="{44 + row * 22}" width="12" height="12" fill="{colour}"/>')
        body.append(text_at(left + width + 38, 54 + row * 22, name))
    return svg(760, 244, title, "".join(body))


# Parts

def ratio(results, part, pana, peer, key):
    """The ratios of a pair of contenders, or nothing when they were not measured."""
    for a, b, values in results.get(part, {}).get("ratios", []):
        if (a, b) == (pana, peer) and values:
            return [value[key] for value in values]
    return None


def growth_of(results, target, figure):
    series = [row for row in results.get("growth", {}).get("series", []) if row["target"] == target]
    return [figure(row) for row in series] or None


def seconds_per_gigabyte(row):
    return median(row["runs"], "wall") / row["megabytes"] * 1000


def headline(results):
    """What is measured against what was aimed at. A figure that was not measured is left out."""
    pana, many = "pana, 2 jobs", "pana"
    pipe, floor, fd = "pg_dump | zstd -1", "COPY TO '/dev/null', 2 sessions", "pg_dump -Fd -j2 -Z1"
    rows = []

    def add(figure, target, values):
        if values:
            rows.append([figure, f"≤ {target:.2f}", summary(values), "yes" if statistics.median(values) <= target else "no"])

    add("CPU ÷ server-side COPY to /dev/null", 1.6, ratio(results, "backup", pana, floor, "cpu"))
    add("CPU ÷ `pg_dump | zstd -1`", 0.75, ratio(results, "backup", pana, pipe, "cpu"))
    for jobs in (pana, "pana, 4 jobs"):
        add(f"wall ÷ `pg_dump -Fc` ({jobs})", 0.25, ratio(results, "backup", jobs, "pg_dump -Fc", "wall"))
        add(f"wall ÷ `pg_dump | zstd -1` ({jobs})", 0.65, ratio(results, "backup", jobs, pipe, "wall"))
    add("wall ÷ `pg_dump -Fd -j2 -Z1`", 0.70, ratio(results, "backup", pana, fd, "wall"))
    add("size ÷ `pg_dump -Fd -j2 -Z1`", 0.85, ratio(results, "backup", pana, fd, "size"))
    add("wall at 20 MB/s per connection, 4 jobs ÷ `pg_dump | zstd -1`", 0.30, ratio(results, "link", "pana, 4 jobs", pipe, "wall"))
    add("wall, 500 tiny tables at 5 ms ÷ `pg_dump | zstd -1`", 0.35, ratio(results, "many", many, pipe, "wall"))
    add("restore, wall ÷ `pg_restore -j2` (which runs no ANALYZE)", 0.95, ratio(results, "restore", pana, "pg_restore -j2 of -Fd", "wall"))
    add("restore without ANALYZE, wall ÷ `pg_restore -j2`", 0.95, ratio(results, "restore", "pana, 2 jobs --no-analyze", "pg_restore -j2 of -Fd", "wall"))
    add("restore, wall ÷ `pg_restore -j2`, then ANALYZE", 0.95, ratio(results, "restore", pana, "pg_restore -j2 of -Fd, then ANALYZE", "wall"))
    add("restore of one dominant table at 20 MB/s per connection, wall ÷ `pg_restore -j4`", 0.6,
        ratio(results, "dominant-link", "pana, 4 jobs", "pg_restore -j4 of -Fd", "wall"))
    for target, limit in (("directory", 40), ("S3", 90)):
        peaks = growth_of(results, target, lambda row: max(run["rss"] for run in row["runs"]))
        if peaks:
            rows.append([f"peak RSS in MiB, 4 jobs, {target}: 1×, 4×, 16× the data", f"≤ {limit}", ", ".join(f"{peak:.1f}" for peak in peaks),
                         "yes" if max(peaks) <= limit else "no"])
    for target in ("directory", "S3"):
        costs = growth_of(results, target, seconds_per_gigabyte)
        if costs:
            rows.append([f"time per byte, 16× ÷ 1× the data, {target}", "≤ 1.05", f"**{costs[-1] / costs[0]:.2f}**", "yes" if costs[-1] <= 1.05 * costs[0] else "no"])
    return markdown_table(["pana ÷ peer", "aim", "measured", "reached"], rows) if rows else "Nothing was measured yet."


def pairs_section(result):
    own_rss = result["machine"]["own_rss"]
    rows = []
    for name, runs in result["runs"].items():
        spreads = [f"{(max(run[key] for run in runs) - min(run[key] for run in runs)) / median(runs, key):.0%}" for key in ("wall", "cpu")]
        size = median(runs, "size")
        rows.append([name, len(runs), *(f"{median(runs, key):.2f}" for key in ("wall", "cpu", "client", "server")), rss(median(runs, "rss"), own_rss),
                     f"{size:.1f}" if size else "–", *spreads])
    ratios = [[f"{pana} ÷ {peer}", *(summary([value[key] for value in values]) for key in ("wall", "cpu"))]
              for pana, peer, values in result["ratios"] if values]
    return [markdown_table(["", "wall", "CPU"], ratios) if ratios else "No ratios: there was no pana.", f"Medians of the runs, {result['pairs']} pairs:",
            markdown_table(["", "runs", "wall s", "CPU s", "client", "server", "peak RSS MiB", "size MB", "spread of wall", "of CPU"], rows)]


def growth_section(result):
    rows = []
    for row in result["series"]:
        first = next(other for other in result["series"] if other["target"] == row["target"])
        rows.append([f"{row['target']}, {row['times']}×", f"{row['megabytes']:.0f}", f"{median(row['runs'], 'wall'):.2f}", f"{seconds_per_gigabyte(row):.2f}",
                     f"{seconds_per_gigabyte(row) / seconds_per_gigabyte(first):.2f}", rss(max(run["rss"] for run in row["runs"]), result["machine"]["own_rss"])])
    return ["`pana backup --jobs 4 --compression zstd:1`, medians of 3 runs; the largest peak of memory.",
            markdown_table(["", "MB of rows", "wall s", "s per GB", "of 1×", "peak RSS MiB"], rows)]


def lambda_section(result):
    rows = []
    for share in result["shares"]:
        wall = median(share["runs"], "wall")
        per_second = result["megabytes"] / wall
        rows.append([share["memory"], f"{share['share']:g}", f"{wall:.2f}", f"{per_second:.0f}", f"{per_second / share['memory'] * 1.024:.3f}",
                     f"{per_second * 0.87:.0f}", f"{max(run['rss'] for run in share['runs']):.0f}", f"{statistics.median(share['starts']) * 1000:.0f}"])
    return [f"`pana backup --jobs 4 --compression zstd:1` of {result['megabytes']:.0f} MB of rows into an S3 store on the same machine, under the share of a "
            "processor that Lambda gives with the memory; the server is not limited. 14.5 minutes are Lambda's fifteen less what the function keeps to clean up. The start is from exec to the first question for an event, without "
            "Lambda's own part of a cold start (the download of the zip, the micro VM).",
            markdown_table(["memory_size", "CPU", "wall s", "MB/s", "GB per GB-second", "GB in 14.5 minutes", "peak RSS MiB", "start ms"], rows)]


def plots(results, directory):
    """Draws what there is; returns the file of each part's plot."""
    files = {}

    def write(part, text):
        (directory / f"{part}.svg").write_text(text)
        files[part] = f"{part}.svg"

    for part in ("backup", "restore", "link"):
        result = results.get(part, {})
        if not result.get("runs"):
            continue
        rows = []
        for name, runs in result["runs"].items():
            client, server, wall = (median(runs, key) for key in ("client", "server", "wall"))
            rows.append((name, [(client, CLIENT), (server, SERVER)], f"{client + server:.1f} s of CPU ({client:.1f} client), {wall:.1f} s"))
        write(part, bars(f"{result['title']}: CPU of client (dark) and server, and time", rows))
    growth = results.get("growth", {}).get("series")
    if growth:
        targets = list(dict.fromkeys(row["target"] for row in growth))
        colours = dict(zip(targets, (CLIENT, "#b45309")))
        ticks = list(dict.fromkeys(f"{row['megabytes']:.0f} MB" for row in growth))
        write("growth", lines("Seconds per GB of rows as the database grows", ticks, [
            (target, colours[target], [seconds_per_gigabyte(row) for row in growth if row["target"] == target]) for target in targets], "s"))
        (directory / "memory.svg").write_text(lines("Peak memory in MiB as the database grows, 4 jobs", ticks, [
            (target, colours[target], [max(run["rss"] for run in row["runs"]) for row in growth if row["target"] == target]) for target in targets], "MiB"))
    shares = results.get("lambda", {}).get("shares")
    if shares:
        speed = [results["lambda"]["megabytes"] / median(share["runs"], "wall") for share in shares]
        write("lambda", bars("Rows backed up by memory_size: GB per GB-second", [
            (f"{share['memory']} MB ({share['share']:g} CPU)", [(rate / share["memory"] * 1.024, CLIENT)], f"{rate / share['memory'] * 1.024:.3f}, {rate:.0f} MB/s")
            for share, rate in zip(shares, speed)]))
    return files


def draw(results, directory, report):
    """The Markdown of all results; `directory` gets the plots, and links go there from where the report is."""
    files = plots(results, directory)
    base = os.path.relpath(directory, report.parent) if report else directory
    parts = ["# Benchmarks", "Written by `bench/run`; to change it, run that again. What it does and how to read it: [bench/README.md](../bench/README.md).",
             "Ratios are pana ÷ peer, one run directly after the other: below 1, pana needs less. Each is the median of the pairs (smallest – largest). "
             "CPU is that of the client and the whole server.", "## Aims", headline(results)]
    sections = {"growth": growth_section, "lambda": lambda_section}
    for name, result in results.items():
        parts += [f"## {result['title']}", *(f"Skipped: {reason}." for reason in result.get("skipped", []))]
        if "scale" not in result:
            continue
        if name in files:
            parts.append(f"![{result['title']}]({base}/{files[name]})")
        if name == "growth":
            parts.append(f"![memory]({base}/memory.svg)")
        parts += sections.get(name, pairs_section)(result)
    rows = []
    for name, result in results.items():
        runs = [run for series in result.get("runs", {}).values() for run in series]
        runs += [run for row in result.get("series", []) + result.get("shares", []) for run in row["runs"]]
        if runs:
            foreign = [run["foreign"] for run in runs]
            rows.append([name, result["date"], f"{result['scale']:g}", f"{statistics.median(foreign):.0%}", f"{max(foreign):.0%}", f"{result['load']:.2f}",
                         result["machine"]["CPU"], result["machine"]["kernel"], result["machine"]["postgres"], result["machine"]["zstd"]])
    parts += ["## Machine and noise", "CPU time taken by neither side, nor by the network in between (a store counts as other work), and the load when the run began:",
              markdown_table(["part", "date", "scale", "median run", "worst run", "load", "CPU", "kernel", "server", "zstd"], rows)]
    sizes = results.get("backup", {}).get("sizes")
    if sizes:
        parts += ["## Data", f"`bench/data.sql`, scale {results['backup']['scale']:g}, {sum(sizes.values()):.1f} MB of COPY text:",
                  markdown_table(["", "MB"], [[name, f"{size:.1f}"] for name, size in sorted(sizes.items(), key=lambda item: -item[1])])]
    commands = dict.fromkeys(command for result in results.values() for command in result.get("commands", {}).values())
    if commands:
        parts += ["## Command lines", "```sh\n" + "\n".join(commands) + "\n```"]
    return "\n\n".join(parts) + "\n"
