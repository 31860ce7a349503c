"""A line at the end of the run: how much was compared with PyTorch."""


def pytest_terminal_summary(terminalreporter):
    counts = [
        dict(report.user_properties)
        for report in terminalreporter.stats.get("passed", [])
        if "compared" in dict(report.user_properties)
    ]
    if counts:
        compared, departures = (sum(c[key] for c in counts) for key in ("compared", "departures"))
        names = len({c["name"] for c in counts})
        terminalreporter.write_line(
            f"PyTorch's samples: {compared} agree, over {names} operations; {departures} are listed departures"
        )
