using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume delete</c>.</summary>
static class VolumeDeleteCommand
{
    public static Verb Create()
    {
        var paths = PathArgument.Volumes();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var force = new Option<bool>("--force") { Description = "Delete also while clients are connected; they are cut off" };
        var now = new Option<bool>("--now") { Description = "Delete for good, rather than to the trash" };
        var snapshots = new Option<bool>("--snapshots") { Description = "Delete their snapshots with them" };
        var verb = new Verb(
            "delete",
            "Delete volumes; they can be had back from the trash for a while",
            ["ashlar volume delete vm1", "ashlar volume rm vm2 vm3 --yes", "ashlar volume delete vm1 --now --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var attempts = new Attempts(invocation);
                // All are looked up first, so that nobody is asked about volumes that are not there or cannot go.
                var found = new List<(VolumePath Path, Volume Volume, string? Tag)>();
                var deleted = new List<(Volume Volume, bool IsInTrash)>();
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                    {
                        var (volume, tag) = await client.ReadVolumeAsync(path, cancellationToken);
                        if (volume.Clients.Total > 0 && !invocation.Get(force)) throw VolumeScreens.InUse(volume);
                        if (volume.SnapshotCount > 0 && !invocation.Get(snapshots)) throw HasSnapshots(volume);
                        found.Add((path, volume, tag));
                    });
                }
                if (found.Count == 0) return attempts.ExitCode;
                var isAsked = !invocation.Get(yes) && invocation.Terminal.InIsTerminal;
                var isForGood = invocation.Get(now) || (isAsked && await IsWithoutTrashAsync(client, found[0].Volume, cancellationToken));
                await invocation.ConfirmAsync(
                    Question([.. found.Select(each => each.Volume)], isForGood), invocation.Get(yes), cancellationToken);
                foreach (var (path, volume, tag) in found)
                {
                    await attempts.TryAsync(async () =>
                    {
                        // What was read and asked about, not what has its name by now.
                        var isInTrash = await client.DeleteVolumeAsync(
                            path, invocation.Get(force), invocation.Get(now), invocation.Get(snapshots), tag, cancellationToken);
                        deleted.Add((volume, isInTrash));
                    });
                }
                VolumeScreens.Write(
                    invocation, [.. deleted.Select(each => each.Volume)], invocation.Get(paths).Length == 1, isChange: true, (writer, _) =>
                    {
                        foreach (var (volume, isInTrash) in deleted)
                            writer.WriteLine($"{VolumeScreens.PathOf(volume)} is {(isInTrash ? "in the trash" : "deleted for good")}");
                    });
                if (deleted.Find(each => each.IsInTrash).Volume is { } back && invocation.Terminal.ErrorIsTerminal)
                {
                    var line = invocation.CommandLines.OfServer($"volume undelete {VolumeScreens.PathOf(back)}");
                    invocation.Tell($"To have it back: {line}");
                }
                return attempts.ExitCode;
            })
        { paths, yes, force, now, snapshots };
        verb.Aliases.Add("rm");
        return verb;
    }

    // Of the first: of many that differ the question says how much, and the answer of the command where each is.
    static async Task<bool> IsWithoutTrashAsync(ApiClient client, Volume volume, CancellationToken cancellationToken) =>
        (volume.TrashSeconds ?? (await client.GetPoolAsync(volume.Pool, cancellationToken)).TrashSeconds) == 0;

    static string Question(IReadOnlyList<Volume> volumes, bool isForGood)
    {
        var how = isForGood ? "for good" : "to the trash";
        return volumes is [var one]
            ? $"Delete volume {VolumeScreens.PathOf(one)} of {ByteSize.Format(one.SizeBytes)} and the "
                + $"{ByteSize.Format(one.AllocatedBytes)} on it{Snapshots(volumes)} {how}?"
            : $"Delete {volumes.Count} volumes and the {ByteSize.Format(volumes.Sum(volume => volume.AllocatedBytes))} on them"
                + $"{Snapshots(volumes)} {how}: {string.Join(", ", volumes.Select(VolumeScreens.PathOf))}?";
    }

    static string Snapshots(IReadOnlyList<Volume> volumes) => volumes.Sum(volume => volume.SnapshotCount) switch
    {
        0 => "",
        1 => ", with a snapshot",
        var count => $", with {count} snapshots",
    };

    static CommandException HasSnapshots(Volume volume) => new(
        ExitCode.Conflict,
        ProblemTypes.HasSnapshots,
        $"volume {VolumeScreens.PathOf(volume)} has snapshots: {volume.SnapshotCount}",
        Refusals.HasSnapshotsHint);
}
