using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar status</c>.</summary>
static class StatusCommand
{
    public static Verb Create()
    {
        var exitCode = new Option<bool>("--exit-code") { Description = "End with 10 when something is degraded" };
        return new Verb(
            "status",
            "Show how the server is",
            ["ashlar status", "ashlar status --exit-code", "ashlar status -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var status = await client.GetStatusAsync(cancellationToken);
                invocation.Write(status, ApiJson.Strict.Status, [status.Health], (writer, style) =>
                    WriteScreen(invocation.Terminal, status, writer, style));
                return status.Health == "ok" || !invocation.Get(exitCode) ? ExitCode.Ok : ExitCode.Degraded;
            })
        { exitCode };
    }

    static void WriteScreen(Terminal terminal, Status status, TextWriter writer, Style style)
    {
        var uptime = terminal.TimeProvider.GetUtcNow() - status.StartedAt;
        if (uptime < TimeSpan.Zero) uptime = TimeSpan.Zero; // The clock was set back meanwhile.
        var health = status.Health == "ok" ? style.Good("OK") : style.Warning(status.Health.ToUpperInvariant());
        writer.WriteLine($"{health}, up for {Duration.Format(uptime)}, version {status.Version}, process {status.ProcessId}");
        foreach (var warning in status.Warnings) writer.WriteLine($"{style.Warning("!")} {warning}");
        writer.WriteLine();

        var facts = new FactSheet();
        foreach (var pool in status.Pools)
        {
            facts.Add($"Pool {pool.Name}", $"{ByteSize.Format(pool.AllocatedBytes)} of {ByteSize.Format(pool.CapacityBytes)} used "
                + $"({PoolCommands.Percent(pool.AllocatedBytes, pool.CapacityBytes)}), {ByteSize.Format(pool.FreeBytes)} free, "
                + Count(pool.VolumeCount, "volume"));
            foreach (var (label, value) in PoolFacts.Running(pool)) facts.Add($"  {label}", value);
        }
        facts
            .Add("NBD", $"{status.Endpoints.Nbd}, {Count(status.Clients.Nbd, "client")}")
            .Add("iSCSI", $"{status.Endpoints.Iscsi}, {Count(status.Clients.Iscsi, "session")}")
            .Add("API", status.Endpoints.Api)
            .Add("Data", status.DataDirectory)
            .WriteTo(writer, style);
    }

    static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
