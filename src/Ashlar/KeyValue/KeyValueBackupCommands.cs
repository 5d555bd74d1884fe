using System.CommandLine;
using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>Commands on backups: backup, backups, verify-backup, restore, delete-backup.</summary>
static class KeyValueBackupCommands
{
    // Of objects of the command line: the grammar of every command is made of this, and none but these load the engine.
    static readonly IReadOnlyList<ListColumn<KeyValueBackup>> Columns =
    [
        new("number", ColumnKind.Count, backup => (long)backup.Number, Rank: 0),
        new("taken", ColumnKind.Time, backup => backup.TakenAt, Rank: 2),
        new("sequence", ColumnKind.Count, backup => (long?)backup.Sequence, Rank: 4),
        new("size", ColumnKind.Size, backup => backup.SizeBytes, Rank: 3),
        new("own", ColumnKind.Size, backup => backup.OwnBytes, Rank: 5),
        new("files", ColumnKind.Count, backup => (long?)backup.FileCount, Rank: 6),
        new("state", ColumnKind.Text, backup => backup.Damage is null ? "ok" : "damaged", Rank: 1),
    ];

    public static Verb CreateBackup()
    {
        var directory = KeyValueArguments.Directory();
        var backups = Backups();
        var full = new Option<bool>("--full") { Description = "Copy everything, also what an earlier backup has already" };
        return new Verb(
            "backup",
            "Back up a store; only what is new since the last backup is copied",
            ["ashlar kv backup ./store ./backups", "ashlar kv backup ./store ./backups --full"],
            invocation =>
            {
                var path = FullPath(invocation, backups);
                KeyValueArguments.RequireApart(
                    KeyValueArguments.FullPath(invocation, directory), path, "a store is not backed up into itself");
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                var info = store.BackUp(path, invocation.Get(full) ? BackupMode.Full : BackupMode.Incremental);
                var backup = KeyValueBackup.Of(info);
                invocation.Write(backup, KeyValueJson.Strict.KeyValueBackup, [Number(info.Number)], (writer, _) => writer.WriteLine(
                    $"backup {info.Number} holds every write up to sequence {info.Sequence}: "
                    + $"{ByteSize.Format(info.SizeBytes)}, of which {ByteSize.Format(info.OwnBytes)} were copied"));
                return ExitCode.Ok;
            })
        { directory, backups, full };
    }

    public static Verb CreateList(Terminal terminal)
    {
        var backups = Backups();
        var options = new ListOptions<KeyValueBackup>(terminal, Columns);
        var verb = new Verb(
            "backups",
            "List the backups in a directory",
            [
                "ashlar kv backups ./backups",
                "ashlar kv backups ./backups --filter state=damaged -q",
                "ashlar kv backups ./backups -o json",
            ],
            invocation =>
            {
                var list = new KeyValueBackupSet(FullPath(invocation, backups)).List();
                var items = options.Select(invocation, list.Select(KeyValueBackup.Of));
                var result = new KeyValueBackupList { Items = items };
                var numbers = items.Select(backup => Number(backup.Number));
                invocation.Write(
                    result, KeyValueJson.Strict.KeyValueBackupList, numbers, (_, _) => options.WriteTable(invocation, items));
                return list.Any(info => info.Damage is not null) ? ExitCode.Damaged : ExitCode.Ok;
            })
        { backups };
        foreach (var option in options.All) verb.Options.Add(option);
        return verb;
    }

    public static Verb CreateVerify(Terminal terminal)
    {
        var backups = Backups();
        var number = NumberOption(terminal);
        return new Verb(
            "verify-backup",
            "Check a backup: every file against its checksum, and all of them as a store",
            ["ashlar kv verify-backup ./backups", "ashlar kv verify-backup ./backups --number 3"],
            invocation =>
            {
                var (all, chosen) = Choose(invocation, backups, number);
                var report = all.Verify(chosen);
                KeyValueStoreCommands.WriteVerdict(invocation, $"backup {chosen}", report);
                return report.IsClean ? ExitCode.Ok : ExitCode.Damaged;
            })
        { backups, number };
    }

    public static Verb CreateRestore(Terminal terminal)
    {
        var backups = Backups();
        var target = new Argument<string>("DIRECTORY") { Description = "Where the store goes: empty, or missing" };
        var number = NumberOption(terminal);
        var archive = new Option<string?>("--archive")
        {
            Description = "The archive of the log: go on from the backup with it",
            HelpName = "DIRECTORY",
        };
        var toSequence = Setting.Create(
            terminal,
            "--to-sequence",
            "NUMBER",
            "With the archive: up to this write",
            KeyValueArguments.ParseNumber(0, long.MaxValue),
            -1L);
        var toTime = Setting.Create<DateTimeOffset?>(
            terminal,
            "--to-time",
            "TIME",
            "With the archive: as it was then, such as 2026-11-21T07:30:00Z",
            text => Timestamp.Parse(text),
            null);
        return new Verb(
            "restore",
            "Write the store of a backup, or as it was at a moment, into an empty directory",
            [
                "ashlar kv restore ./backups ./restored",
                "ashlar kv restore ./backups ./restored --number 3",
                "ashlar kv restore ./backups ./restored --archive ./archive",
                "ashlar kv restore ./backups ./restored --archive ./archive --to-time 2026-11-21T07:30:00Z",
                "ashlar kv restore ./backups ./restored --archive ./archive --to-sequence 123456",
            ],
            invocation =>
            {
                var (sequence, time) = (invocation.Get(toSequence), invocation.Get(toTime));
                if (invocation.Get(archive) is { } log)
                {
                    if (invocation.IsGiven(number))
                        throw Usage.Error(
                            "--number cannot be combined with --archive, which takes the newest backup that it can continue");
                    if (sequence >= 0 && time is not null) throw Usage.Error("--to-sequence and --to-time cannot be combined");
                    var point = sequence >= 0 ? RestorePoint.AtSequence((ulong)sequence)
                        : time is { } moment ? RestorePoint.AtTime(moment)
                        : RestorePoint.Latest;
                    return RestoreTo(
                        invocation, FullPath(invocation, backups), TypedPath.OfDirectory(log), point, FullPath(invocation, target));
                }

                if (sequence >= 0 || time is not null)
                    throw Usage.Error("--to-sequence and --to-time need an archive of the log", "add --archive DIRECTORY");
                var (all, chosen) = Choose(invocation, backups, number);
                var path = FullPath(invocation, target);
                all.Restore(chosen, path);
                KeyValueCommands.WriteChange(
                    invocation, new() { Path = path, Operation = "restore" }, $"backup {chosen} is restored to {path}");
                return ExitCode.Ok;
            })
        { backups, target, number, archive, toSequence, toTime };
    }

    static ExitCode RestoreTo(Invocation invocation, string backups, string archive, RestorePoint point, string target)
    {
        if (new KeyValueBackupSet(backups).IsSharded)
            throw Usage.Error(
                $"{backups} is of a sharded store; a moment of it cannot be restored", "leave --archive away, or restore single shards");
        var restored = new KeyValueBackups(backups).Restore(point, new LogArchive(archive), target);
        KeyValueCommands.WriteChange(
            invocation,
            new() { Path = target, Operation = "restore", Sequence = restored.Sequence, CommittedAt = restored.CommittedAt },
            $"{target} is the store with every write up to sequence {restored.Sequence}, "
            + $"committed at {CommitTimes.Format(restored.CommittedAt)}: "
            + $"backup {restored.BackupNumber} and {ByteSize.Format(restored.ArchiveBytes)} of log");
        return ExitCode.Ok;
    }

    public static Verb CreateDelete(Terminal terminal)
    {
        var backups = Backups();
        var number = Setting.Create(
            terminal, "--number", "NUMBER", "Which backup; 'backups' lists them", KeyValueArguments.ParseNumber(1, long.MaxValue), 0L);
        number.Required = true;
        number.DefaultValueFactory = null;
        return new Verb(
            "delete-backup",
            "Delete a backup, and those of its files that no other backup needs",
            ["ashlar kv delete-backup ./backups --number 3"],
            invocation =>
            {
                var path = FullPath(invocation, backups);
                new KeyValueBackupSet(path).Delete((ulong)invocation.Get(number));
                KeyValueCommands.WriteChange(
                    invocation, new() { Path = path, Operation = "delete-backup" }, $"backup {invocation.Get(number)} is deleted");
                return ExitCode.Ok;
            })
        { backups, number };
    }

    static Argument<string> Backups() => new("BACKUPS") { Description = "The directory of the backups" };

    static Option<long> NumberOption(Terminal terminal) => Setting.Create(
        terminal, "--number", "NUMBER", "Which backup [default: the newest]", KeyValueArguments.ParseNumber(1, long.MaxValue), 0L);

    static (KeyValueBackupSet All, ulong Number) Choose(Invocation invocation, Argument<string> backups, Option<long> number)
    {
        var path = FullPath(invocation, backups);
        var all = new KeyValueBackupSet(path);
        if (invocation.Get(number) is > 0 and var asked) return (all, (ulong)asked);
        return all.List() is [.., var newest]
            ? (all, newest.Number)
            : throw new CommandException(ExitCode.NotFound, Api.ProblemTypes.Failed, $"{path}: there is no backup in this directory");
    }

    static string FullPath(Invocation invocation, Argument<string> path) =>
        TypedPath.OfDirectory(invocation.Get(path));

    static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
