using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar status</c>.</summary>
static class StatusCommand
{
    public static Verb Create(Terminal terminal)
    {
        var exitCode = new Option<bool>("--exit-code") { Description = "End with 10 when something is degraded" };
        var watch = new WatchOptions(terminal);
        var verb = new Verb(
            "status",
            "Show the state of the server, its pools and clients",
            ["ashlar status", "ashlar status --exit-code", "ashlar status -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    client.GetStatusAsync,
                    status =>
                    {
                        invocation.Write(status, ApiJson.Strict.Status, [status.Health], (_, _) => WriteScreen(invocation, status));
                        return status.Health == "ok" || !invocation.Get(exitCode) ? ExitCode.Ok : ExitCode.Degraded;
                    },
                    cancellationToken);
            })
        { exitCode };
        foreach (var option in watch.All) verb.Options.Add(option);
        return verb;
    }

    static void WriteScreen(Invocation invocation, Status status)
    {
        var (terminal, style) = (invocation.Terminal, invocation.Terminal.OutStyle);
        var uptime = terminal.TimeProvider.GetUtcNow() - status.StartedAt;
        if (uptime < TimeSpan.Zero) uptime = TimeSpan.Zero; // The clock was set back meanwhile.
        var health = status.Health == "ok" ? style.Good("OK") : style.Warning(status.Health.ToUpperInvariant());
        terminal.Out.WriteLine($"{health}, up for {Duration.Format(uptime)}, version {status.Version}, process {status.ProcessId}");
        foreach (var warning in status.Warnings) terminal.Out.WriteLine($"{style.Warning("!")} {invocation.CommandLines.InText(warning)}");
        terminal.Out.WriteLine();

        var facts = new FactSheet();
        foreach (var pool in status.Pools)
        {
            if (pool.State != PoolStates.Available)
            {
                facts.Add($"Pool {pool.Name}", pool.State);
                continue;
            }
            facts.Add($"Pool {pool.Name}", $"{ByteSize.Format(pool.AllocatedBytes)} of {ByteSize.Format(pool.CapacityBytes)} used "
                + $"({Percentage.Format(pool.AllocatedBytes, pool.CapacityBytes)}), {ByteSize.Format(pool.FreeBytes)} free, "
                + Count(pool.VolumeCount, "volume"));
            foreach (var (label, value) in PoolFacts.Running(pool)) facts.Add($"  {label}", value);
        }
        if (status.Files is { } files) facts.Add("Files", Describe(files));
        if (status.Files?.Cache is { Directory: not null } cache) facts.Add("File cache", Describe(cache));
        facts.Add("NBD", $"{status.Endpoints.Nbd}, {Count(status.Clients.Nbd, "client")}");
        if (status.Endpoints.NbdSocket is { } socket) facts.Add("NBD socket", socket);
        facts
            .Add("iSCSI", $"{status.Endpoints.Iscsi}, {Count(status.Clients.Iscsi, "session")}")
            .Add("NVMe", status.Endpoints.Nvme is { } nvme ? $"{nvme}, {Count(status.Clients.Nvme, "host")}" : "not served")
            .Add("API", status.Endpoints.Api)
            .Add("S3", status.Endpoints.S3 ?? "not served")
            .Add("Data", status.DataDirectory)
            .WriteTo(terminal.Out, style, terminal.Width);
    }

    static string Describe(FileStoreStatus files) => files.State != "available"
        ? files.State
        : $"{Count(files.UsableNodeCount, "storage node")} of {files.NodeCount}, "
            + (files.Copies == 1 ? "one copy of each file" : $"{files.Copies} copies of each file")
            + (files.Risk is { } risk ? $". {risk}" : "");

    static string Describe(FileCacheStatus cache) => cache.Problem is not null
        ? $"{cache.Directory}, passed by"
        : $"{cache.Directory}, {ByteSize.Format(cache.DiskBytes)} of {ByteSize.Format(cache.DiskCapacityBytes)}, "
            + $"{cache.DiskHits} of {cache.DiskHits + cache.DiskMisses} pieces found";

    static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
