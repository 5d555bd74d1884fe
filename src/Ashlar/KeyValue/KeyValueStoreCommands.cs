using System.CommandLine;
using System.Globalization;
using System.Text;
using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;

namespace Ashlar.CommandLine;

/// <summary>Commands on a whole store: create, stats, verify, compact.</summary>
static class KeyValueStoreCommands
{
    public static Verb CreateCreate(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var shards = Setting.Create(
            terminal,
            "--shards",
            "COUNT",
            "Number of engines that share the keys; cannot be changed later [default: 0: not sharded]",
            KeyValueArguments.ParseNumber(0, ShardedKeyValueOptions.MaxShardCount),
            0L);
        var hashedPrefix = Setting.Create(
            terminal,
            "--hashed-prefix",
            "BYTES",
            "Bytes of a key that decide on its shard; 0 is all [default: 0]",
            KeyValueArguments.ParseNumber(0, 1024),
            0L);
        var saltedPrefix = new Option<string?>("--salted-prefix")
        {
            Description = "Hot keys begin with this: each has a copy in every shard",
            HelpName = "KEY",
        };
        return new Verb(
            "create",
            "Create a store",
            ["ashlar kv create ./store", "ashlar kv create ./store --shards 4", "ashlar kv create ./store --shards 8 --salted-prefix hot/"],
            invocation =>
            {
                var path = KeyValueArguments.FullPath(invocation, directory);
                var count = (int)invocation.Get(shards);
                var salted = Encoding.UTF8.GetBytes(invocation.Get(saltedPrefix) ?? "");
                if (count == 0 && (invocation.Get(hashedPrefix) != 0 || salted.Length > 0))
                    throw Usage.Error("--hashed-prefix and --salted-prefix need --shards");
                using var store = OpenedStore.Create(path, count, (int)invocation.Get(hashedPrefix), salted);
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = path, Operation = "create", ShardCount = count == 0 ? null : count },
                    $"{path} is created{(count == 0 ? "" : $", with {count} shard{(count == 1 ? "" : "s")}")}");
                return ExitCode.Ok;
            })
        { directory, shards, hashedPrefix, saltedPrefix };
    }

    public static Verb CreateStats()
    {
        var directory = KeyValueArguments.Directory();
        return new Verb(
            "stats",
            "Show counts and sizes of a store",
            ["ashlar kv stats ./store", "ashlar kv stats ./store -o json"],
            invocation =>
            {
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                var facts = new KeyValueFacts
                {
                    Path = store.Directory,
                    Id = store.Id,
                    ShardCount = store.ShardCount == 0 ? null : store.ShardCount,
                    Keyspaces = store.ShardCount == 0 ? store.ListKeyspaces().Count : null,
                    Statistics = store.GetStatistics(),
                };
                invocation.Write(
                    facts, KeyValueJson.Strict.KeyValueFacts, [facts.Path], (_, _) => WriteFacts(invocation.Terminal, store, facts));
                return ExitCode.Ok;
            })
        { directory };
    }

    public static Verb CreateVerify()
    {
        var directory = KeyValueArguments.Directory();
        return new Verb(
            "verify",
            "Check a store: read everything, and its checksums, order and completeness",
            ["ashlar kv verify ./store"],
            invocation =>
            {
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                var report = store.Verify();
                WriteVerdict(invocation, store.Directory, report);
                return report.IsClean ? ExitCode.Ok : ExitCode.Damaged;
            })
        { directory };
    }

    public static Verb CreateCompact()
    {
        var directory = KeyValueArguments.Directory();
        return new Verb(
            "compact",
            "Merge all tables, which gives back the space of what was deleted or replaced",
            ["ashlar kv compact ./store"],
            invocation =>
            {
                using var store = KeyValueArguments.Open(invocation, directory);
                var before = store.GetStatistics().TableBytes;
                store.Compact();
                var after = store.GetStatistics().TableBytes;
                KeyValueCommands.WriteChange(
                    invocation,
                    new() { Path = store.Directory, Operation = "compact", BytesBefore = before, BytesAfter = after },
                    $"tables are {ByteSize.Format(after)} now, {ByteSize.Format(before)} before");
                return ExitCode.Ok;
            })
        { directory };
    }

    public static void WriteVerdict(Invocation invocation, string name, VerificationReport report)
    {
        var verdict = new KeyValueVerdict
        {
            Path = name,
            IsClean = report.IsClean,
            Tables = report.Tables,
            LogSegments = report.LogSegments,
            Entries = report.Entries,
            Problems = [.. report.Problems.Select(problem => problem.Message)],
        };
        invocation.Write(verdict, KeyValueJson.Strict.KeyValueVerdict, [verdict.Path], (writer, style) =>
        {
            foreach (var problem in verdict.Problems) writer.WriteLine($"{style.Bad("damaged:")} {problem}");
            if (!verdict.IsClean) return;
            writer.WriteLine(
                $"{style.Good("intact:")} {Count(report.Tables, "table")} with {KeyValueCommands.Entries(report.Entries)}, "
                + Count(report.LogSegments, "log segment"));
        });
    }

    static void WriteFacts(Terminal terminal, OpenedStore store, KeyValueFacts facts)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        var statistics = facts.Statistics;
        var sheet = new FactSheet()
            .Add("Store", facts.Path)
            .Add("Id", facts.Id.ToString("D"));
        if (facts.Keyspaces is > 0 and var keyspaces) sheet.Add("Keyspaces", keyspaces.ToString(CultureInfo.InvariantCulture));
        sheet
            .Add("Writes", $"{CountWrites(store)} ever")
            .Add(
                "Entries",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{statistics.TableEntries + statistics.MemTableEntries} ({statistics.TableEntries} in tables, "
                    + $"{statistics.MemTableEntries} in the log and in memory), replaced and deleted ones included"))
            .Add(
                "Tables",
                $"{statistics.TablesPerLevel.Sum()} of {ByteSize.Format(statistics.TableBytes)}; by level: "
                    + $"{string.Join(' ', statistics.TablesPerLevel)}")
            .Add(
                "Values",
                $"{ByteSize.Format(statistics.ValueBytes)} in {Count(statistics.ValueSegments, "segment")} that tables refer to, "
                    + $"{ByteSize.Format(statistics.ReferencedValueBytes)} referred to")
            .Add("Log", $"{Count(statistics.LogSegments, "segment")} of {ByteSize.Format(statistics.LogBytes)}")
            .Add("On disk", $"{ByteSize.Format(statistics.SpaceBytes)}{Live(statistics)}")
            .Add("In memory", ByteSize.Format(statistics.MemTableBytes))
            .WriteTo(writer, style, terminal.Width);
        if (store.ShardCount == 0) return;
        writer.WriteLine();
        var table = new Table("SHARD", Column.Number("WRITES"), Column.Number("ENTRIES"), Column.Number("TABLES"), Column.Number("SIZE"));
        for (var shard = 0; shard < store.ShardCount; shard++)
        {
            var own = store.GetStatistics(shard);
            table.Row(
                $"shard-{shard:d3}",
                own.LastSequence.ToString(CultureInfo.InvariantCulture),
                (own.TableEntries + own.MemTableEntries).ToString(CultureInfo.InvariantCulture),
                own.TablesPerLevel.Sum().ToString(CultureInfo.InvariantCulture),
                ByteSize.Format(own.TableBytes));
        }

        table.WriteTo(writer, style, terminal.Width);
    }

    // Each write has a sequence of its own; in a sharded store of its shard.
    static ulong CountWrites(OpenedStore store)
    {
        if (store.ShardCount == 0) return store.GetStatistics().LastSequence;
        var sum = 0UL;
        for (var shard = 0; shard < store.ShardCount; shard++) sum += store.GetStatistics(shard).LastSequence;
        return sum;
    }

    static string Live(KeyValueStatistics statistics) => statistics.LiveBytes == 0 ? ""
        : string.Create(CultureInfo.InvariantCulture, $", about {statistics.SpaceAmplification:f2} times what is live");

    static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
