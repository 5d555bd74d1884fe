using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot delete</c>.</summary>
static class SnapshotDeleteCommand
{
    public static Verb Create()
    {
        var paths = SnapshotArguments.Several();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be given back" };
        var force = new Option<bool>("--force") { Description = "Delete also while clients read them; they are cut off" };
        var verb = new Verb(
            "delete",
            "Delete snapshots; those of one volume all at once",
            ["ashlar snapshot delete vm1@monday", "ashlar snapshot rm vm1@monday vm1@tuesday --dry-run"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var attempts = new Attempts(invocation);
                var (asked, done) = (new List<(VolumePath Volume, SnapshotDeletion Answer)>(), new List<SnapshotDeletion>());
                foreach (var group in invocation.Get(paths).GroupBy(path => path.Volume))
                {
                    var request = new DeleteSnapshots { Snapshots = [.. group.Select(path => path.Name)], DryRun = true };
                    await attempts.TryAsync(async () =>
                        asked.Add((group.Key, await client.DeleteSnapshotsAsync(group.Key, request, cancellationToken))));
                }
                if (asked.Count == 0) return attempts.ExitCode;
                if (invocation.Get(dryRun))
                {
                    Write(invocation, [.. asked.Select(each => each.Answer)]);
                    return attempts.ExitCode;
                }
                await invocation.ConfirmAsync(Question([.. asked.Select(each => each.Answer)]), invocation.Get(yes), cancellationToken);
                foreach (var (volume, answer) in asked)
                {
                    var request = new DeleteSnapshots { Snapshots = answer.Snapshots, Force = invocation.Get(force) };
                    await attempts.TryAsync(async () => done.Add(await client.DeleteSnapshotsAsync(volume, request, cancellationToken)));
                }
                if (!invocation.IsSilent) Write(invocation, done);
                return attempts.ExitCode;
            })
        { paths, yes, dryRun, force };
        verb.Aliases.Add("rm");
        return verb;
    }

    // Of each volume an object: that is what is deleted at once.
    static void Write(Invocation invocation, IReadOnlyList<SnapshotDeletion> deletions)
    {
        foreach (var deletion in deletions)
        {
            invocation.Write(deletion, ApiJson.Strict.SnapshotDeletion, PathsOf(deletion), (writer, _) =>
            {
                if (!deletion.IsDryRun)
                    foreach (var path in PathsOf(deletion)) writer.WriteLine($"{path} is deleted");
                var (given, later) = (ByteSize.Format(deletion.FreedBytes), Later([deletion]));
                writer.WriteLine(deletion.IsDryRun
                    ? $"{string.Join(", ", PathsOf(deletion))}: {given} would be given back{later}"
                    : $"{given} are given back{later}");
            });
        }
    }

    static string Question(IReadOnlyList<SnapshotDeletion> deletions)
    {
        var paths = deletions.SelectMany(PathsOf).ToArray();
        var given = ByteSize.Format(deletions.Sum(deletion => deletion.FreedBytes)) + Later(deletions);
        return paths is [var one]
            ? $"Delete snapshot {one}, which gives back {given}?"
            : $"Delete {paths.Length} snapshots, which gives back {given}: {string.Join(", ", paths)}?";
    }

    // What clones need stays, and is listed as deleted for as long.
    static string Later(IReadOnlyList<SnapshotDeletion> deletions)
    {
        var clones = deletions
            .SelectMany(deletion => deletion.Clones.Select(name => new VolumePath(deletion.Pool, name).ToString()))
            .Distinct(StringComparer.Ordinal)
            .ToArray();
        return clones.Length == 0 ? "" : $", and more when {string.Join(", ", clones)} {(clones.Length == 1 ? "is" : "are")} flat or gone";
    }

    static IEnumerable<string> PathsOf(SnapshotDeletion deletion) =>
        deletion.Snapshots.Select(name => new SnapshotPath(new(deletion.Pool, deletion.Volume), name).ToString());
}
