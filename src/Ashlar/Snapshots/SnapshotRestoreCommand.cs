using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot restore</c>.</summary>
static class SnapshotRestoreCommand
{
    public static Verb Create()
    {
        var path = SnapshotArguments.One();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(
            "restore",
            "Take a volume back to a snapshot; no client may be connected, and all snapshots stay",
            ["ashlar snapshot restore vm1@monday", "ashlar snapshot restore vm1@monday --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var snapshot = await client.GetSnapshotAsync(invocation.Get(path), cancellationToken);
                var volume = await client.GetVolumeAsync(invocation.Get(path).Volume, cancellationToken);
                if (volume.Clients.Total > 0)
                {
                    throw new CommandException(
                        ExitCode.Conflict,
                        ProblemTypes.InUse,
                        $"volume {VolumeScreens.PathOf(volume)} is in use: {VolumeScreens.Clients(volume.Clients)}",
                        "disconnect the clients first");
                }
                await invocation.ConfirmAsync(
                    $"Take volume {VolumeScreens.PathOf(volume)} back to {Timestamp.Format(snapshot.CreatedAt)}? "
                    + "What was written since is lost.",
                    invocation.Get(yes),
                    cancellationToken);
                var restored = await client.RestoreSnapshotAsync(invocation.Get(path), cancellationToken);
                invocation.WriteChange(restored, ApiJson.Strict.Volume, [VolumeScreens.PathOf(restored)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(restored)} is as it was at {invocation.Get(path)}"));
                return ExitCode.Ok;
            })
        { path, yes };
    }
}
