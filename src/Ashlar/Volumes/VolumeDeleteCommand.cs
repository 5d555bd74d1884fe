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
        var verb = new Verb(
            "delete",
            "Delete volumes and everything on them",
            ["ashlar volume delete vm1", "ashlar volume rm vm2 vm3 --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var attempts = new Attempts(invocation);
                // All are looked up first, so that nobody is asked about volumes that are not there or cannot go.
                var (found, deleted) = (new List<(VolumePath Path, Volume Volume, string? Tag)>(), new List<Volume>());
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                    {
                        var (volume, tag) = await client.ReadVolumeAsync(path, cancellationToken);
                        if (volume.Clients.Total > 0 && !invocation.Get(force)) throw VolumeScreens.InUse(volume);
                        found.Add((path, volume, tag));
                    });
                }
                if (found.Count == 0) return attempts.ExitCode;
                await invocation.ConfirmAsync(Question([.. found.Select(each => each.Volume)]), invocation.Get(yes), cancellationToken);
                foreach (var (path, volume, tag) in found)
                {
                    await attempts.TryAsync(async () =>
                    {
                        // What was read and asked about, not what has its name by now.
                        await client.DeleteVolumeAsync(path, invocation.Get(force), tag, cancellationToken);
                        deleted.Add(volume);
                    });
                }
                VolumeScreens.Write(invocation, deleted, invocation.Get(paths).Length == 1, isChange: true, (writer, _) =>
                {
                    foreach (var volume in deleted) writer.WriteLine($"{VolumeScreens.PathOf(volume)} is deleted");
                });
                return attempts.ExitCode;
            })
        { paths, yes, force };
        verb.Aliases.Add("rm");
        return verb;
    }

    static string Question(IReadOnlyList<Volume> volumes) => volumes is [var one]
        ? $"Delete volume {VolumeScreens.PathOf(one)} and the {ByteSize.Format(one.AllocatedBytes)} on it?"
        : $"Delete {volumes.Count} volumes and the {ByteSize.Format(volumes.Sum(volume => volume.AllocatedBytes))} on them: "
            + $"{string.Join(", ", volumes.Select(VolumeScreens.PathOf))}?";
}
