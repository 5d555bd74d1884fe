using System.CommandLine;
using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>Commands on the archive of a store's log: archive-log, archive, prune-archive, end-archive.</summary>
static class KeyValueArchiveCommands
{
    // Of objects of the command line: the grammar of every command is made of this, and none but these load the engine.
    static readonly IReadOnlyList<ListColumn<KeyValueArchivePart>> Columns =
    [
        new("part", ColumnKind.Count, part => (long)part.Number, Rank: 0),
        new("first", ColumnKind.Count, part => (long?)part.FirstSequence, Rank: 3),
        new("last", ColumnKind.Count, part => (long?)part.LastSequence, Rank: 2),
        new("from", ColumnKind.ExactTime, part => part.FirstCommittedAt, Rank: 5),
        new("to", ColumnKind.ExactTime, part => part.LastCommittedAt, Rank: 4),
        new("size", ColumnKind.Size, part => part.SizeBytes, Rank: 6),
        new("state", ColumnKind.Text, part => part.Damage is null ? "ok" : "damaged", Rank: 1),
    ];

    public static Verb CreateArchiveLog()
    {
        var directory = KeyValueArguments.Directory();
        var archive = Archive();
        return new Verb(
            "archive-log",
            "Copy the log of a store to its archive; the first time begins that",
            ["ashlar kv archive-log ./store /mnt/archive/store"],
            invocation =>
            {
                var (path, target) = (KeyValueArguments.FullPath(invocation, directory), FullPath(invocation, archive));
                KeyValueArguments.RequireApart(path, target, "a store is not archived into itself");
                using var store = OpenedStore.OpenToArchive(path, target, KeyValueArguments.CreateCommand(invocation, directory));
                store.ArchiveLog();
                KeyValueCommands.WriteChange(
                    invocation, new() { Path = path, Operation = "archive-log" }, $"every write of {path} is in {target}");
                return ExitCode.Ok;
            })
        { directory, archive };
    }

    public static Verb CreateInspect(Terminal terminal)
    {
        var archive = Archive();
        var options = new ListOptions<KeyValueArchivePart>(terminal, Columns);
        var verify = new Option<bool>("--verify") { Description = "Read every part as a whole, not only its head" };
        var verb = new Verb(
            "archive",
            "Show what an archive of the log covers, and what is missing from it",
            ["ashlar kv archive /mnt/archive/store", "ashlar kv archive /mnt/archive/store --verify"],
            invocation =>
            {
                var path = FullPath(invocation, archive);
                var log = new LogArchive(path);
                var report = invocation.Get(verify) ? log.Verify() : log.Inspect();
                var whole = KeyValueArchive.Of(path, report);
                var items = options.Select(invocation, whole.Parts);
                var result = whole with { Parts = items };
                var parts = items.Select(part => Number(part.Number));
                invocation.Write(result, KeyValueJson.Strict.KeyValueArchive, parts, (writer, style) =>
                {
                    options.WriteTable(invocation, items);
                    writer.WriteLine(report.Parts.Count == 0
                        ? "the archive is empty"
                        : $"with a backup of sequence {report.AfterSequence} or later: every write up to sequence {report.LastSequence}");
                    foreach (var problem in report.Problems) writer.WriteLine($"{style.Bad("damaged:")} {problem.Message}");
                });
                return report.Problems.Count == 0 ? ExitCode.Ok : ExitCode.Damaged;
            })
        { archive, verify };
        foreach (var option in options.All) verb.Options.Add(option);
        return verb;
    }

    public static Verb CreatePrune()
    {
        var archive = Archive();
        var backups = new Argument<string>("BACKUPS") { Description = "The directory of the backups that are kept" };
        return new Verb(
            "prune-archive",
            "Delete the parts of an archive that the oldest backup has already",
            ["ashlar kv prune-archive /mnt/archive/store ./backups"],
            invocation =>
            {
                var path = FullPath(invocation, archive);
                var deleted = new LogArchive(path).Prune(new KeyValueBackups(FullPath(invocation, backups)));
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = path, Operation = "prune-archive", Entries = deleted.Count },
                    $"{deleted.Count} {(deleted.Count == 1 ? "part" : "parts")} of "
                        + $"{ByteSize.Format(deleted.Sum(part => part.SizeBytes))} deleted");
                return ExitCode.Ok;
            })
        { archive, backups };
    }

    public static Verb CreateEnd()
    {
        var directory = KeyValueArguments.Directory();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(
            "end-archive",
            "End the archive of a store's log, for good; what waits for it may go",
            ["ashlar kv end-archive ./store --yes"],
            async (invocation, cancellationToken) =>
            {
                using var store = KeyValueArguments.Open(invocation, directory);
                await invocation.ConfirmAsync($"End the archive of {store.Directory}, for good?", invocation.Get(yes), cancellationToken);
                store.EndLogArchive();
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = store.Directory, Operation = "end-archive" },
                    $"the log of {store.Directory} is not archived any more");
                return ExitCode.Ok;
            })
        { directory, yes };
    }

    static Argument<string> Archive() => new("ARCHIVE") { Description = "The directory of the archive" };

    static string FullPath(Invocation invocation, Argument<string> path) =>
        TypedPath.OfDirectory(invocation.Get(path));

    static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
