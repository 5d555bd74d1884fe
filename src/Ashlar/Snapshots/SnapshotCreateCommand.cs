using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot create</c>.</summary>
static class SnapshotCreateCommand
{
    public static Verb Create()
    {
        var paths = SnapshotArguments.Several();
        return new Verb(
            "create",
            "Take snapshots of volumes of one pool, all at one instant",
            ["ashlar snapshot create vm1@monday", "ashlar snapshot create db@before log@before"],
            async (invocation, cancellationToken) =>
            {
                var wanted = invocation.Get(paths);
                if (wanted.Select(path => path.Volume.Pool).Distinct(StringComparer.Ordinal).Skip(1).Any())
                    throw Usage.Error("volumes of several pools have no instant in common", "take the snapshots of each pool by itself");
                using var client = ApiClient.For(invocation);
                var request = new TakeSnapshots { Snapshots = [.. wanted.Select(path => new NewSnapshot(path.Volume.Volume, path.Name))] };
                var taken = (await client.TakeSnapshotsAsync(wanted[0].Volume.Pool, request, cancellationToken)).Items;
                SnapshotScreens.Write(invocation, taken, wanted.Length == 1, isChange: true, (writer, _) =>
                {
                    foreach (var snapshot in taken) writer.WriteLine($"{SnapshotScreens.PathOf(snapshot)} is taken");
                });
                return ExitCode.Ok;
            })
        { paths };
    }
}
