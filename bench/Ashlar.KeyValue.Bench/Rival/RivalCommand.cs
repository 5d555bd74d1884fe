using System.Diagnostics;
using System.Globalization;

namespace Ashlar.KeyValue.Bench;

/// <summary>Runs db_bench, and reports each of its benchmarks as one of ours: a line of JSON.</summary>
static class RivalCommand
{
    public static int Run(string[] command)
    {
        if (command is ["--", .. var rest]) command = rest;
        if (command.Length == 0) return 2;
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in command[1..]) start.ArgumentList.Add(argument);
        var report = new RivalReport(Flag(command, "--key_size=", 16), Flag(command, "--value_size=", 100));
        using var process = Process.Start(start)!;
        using var sampler = new RivalSampler(process.Id);
        while (process.StandardOutput.ReadLine() is { } line)
        {
            // At the line that ends a benchmark, before the process has gone far into the next.
            if (report.Take(line, sampler)) Console.Error.WriteLine(line);
        }

        report.Finish();
        process.WaitForExit();
        return process.ExitCode;
    }

    static int Flag(string[] command, string name, int otherwise)
    {
        foreach (var argument in command)
        {
            if (argument.StartsWith(name, StringComparison.Ordinal))
                return int.Parse(argument[name.Length..], CultureInfo.InvariantCulture);
        }

        return otherwise;
    }
}
