using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What <c>ashlar up</c> shows when everything runs: where it is, and what to type next.</summary>
static class UpScreen
{
    public static void Write(Invocation invocation, Status status, bool isFirstStart)
    {
        var writer = invocation.Terminal.Out;
        var style = invocation.Terminal.OutStyle;
        var hasVolumes = status.Pools.Any(pool => pool.VolumeCount > 0);
        writer.WriteLine($"{style.Bold($"Ashlar {status.Version}")} {style.Good("is up")}");
        writer.WriteLine();
        var facts = new FactSheet()
            .Add("  NBD", status.Endpoints.NbdSocket is { } socket ? $"{status.Endpoints.Nbd}, {socket}" : status.Endpoints.Nbd)
            .Add("  iSCSI", status.Endpoints.Iscsi)
            .Add("  NVMe", status.Endpoints.Nvme ?? "not served")
            .Add("  API", status.Endpoints.Api);
        if (status.Endpoints.S3 is { } s3) facts.Add("  S3", s3);
        if (status.Endpoints.Hosts.Count > 1) facts.Add("  Also at", string.Join(", ", status.Endpoints.Hosts.Skip(1)));
        facts.Add("  Data", status.DataDirectory + (isFirstStart ? " (new)" : ""));
        if (status.Files is { } files)
        {
            facts.Add("  Files", files.Risk ?? files.State);
            if (files.KeyFile is { } key) facts.Add("  Key", key);
        }
        foreach (var (i, pool) in status.Pools.Index()) facts.Add(i == 0 ? "  Pool" : "", Describe(pool, isFirstStart));
        facts.WriteTo(writer, style, invocation.Terminal.Width);
        writer.WriteLine();
        if (status.Endpoints.IsOpen)
        {
            writer.WriteLine($"{style.Warning("!")} Other machines can connect, and nothing asks them who they are:");
            writer.WriteLine("  whoever connects may read, change and delete every volume.");
            writer.WriteLine();
        }
        writer.WriteLine("Next, in another terminal:");
        // Another terminal has another environment, and may be in another directory.
        var lines = new CommandLines(
            invocation.Terminal.Program,
            CommandLines.ServerOptions(invocation.Get(invocation.Global.Data) is null ? null : status.DataDirectory, server: null));
        writer.WriteLine($"  {lines.OfServer(hasVolumes ? "volume list" : "volume create vm1 --size 10GiB")}");
        writer.WriteLine($"  {lines.OfServer("status")}");
        writer.WriteLine();
        writer.WriteLine(style.Dim("Ctrl-C stops it; the data stays."));
    }

    static string Describe(Pool pool, bool isFirstStart) => pool switch
    {
        { State: not PoolStates.Available } => $"{pool.Name}, {pool.State}",
        _ when isFirstStart => $"{pool.Name}, {ByteSize.Format(pool.CapacityBytes)}; takes space only as it is written",
        _ => $"{pool.Name}, {ByteSize.Format(pool.AllocatedBytes)} of {ByteSize.Format(pool.CapacityBytes)} used, "
            + (pool.VolumeCount == 1 ? "1 volume" : $"{pool.VolumeCount} volumes"),
    };
}
