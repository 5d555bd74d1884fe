using System.Text.Json;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>The planner from the shell: what is printed, and the one line for what cannot be planned.</summary>
public sealed class PlanCommandTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Two_hundred_million_records_a_day_as_a_table()
    {
        var lines = (await Run("plan estimate --record 250B --records 200M/day --retention 1825d --replicas 3 --index 30% --blob 2MiB --blob-fraction 20%")).Split('\n');
        foreach (var (title, size) in ((string, string)[])
            [("Daily raw", "46.57 GiB"), ("Total raw", "82.99 TiB"), ("Replicated", "248.97 TiB"), ("With indexes", "323.67 TiB"), ("Blobs, raw", "135.97 PiB")])
        {
            var line = Assert.Single(lines, line => line.StartsWith(title, StringComparison.Ordinal));
            Assert.EndsWith($" {size}", line, StringComparison.Ordinal);
        }

        Assert.Contains("Space binds first.", lines);
        Assert.Contains("Sizes are binary: 1 GiB is 1024 MiB, 2^30 bytes. Rates and counts are decimal.", lines);
        // All sizes end in one column.
        Assert.Single(lines[1..14].Select(line => line.Length).Distinct());
    }

    [Fact]
    public async Task A_million_users_as_a_table()
    {
        var text = await Run("plan estimate --record 500B --users 1M --writes-per-user 2 --reads-per-user 10 --retention 3y");
        Assert.Matches(@"(?m)^Total raw .* 1,019\.80 GiB$", text);
        Assert.Matches(@"(?m)^Writes +23\.1/s ", text);
        Assert.Matches(@"(?m)^Reads +115\.7/s ", text);
        Assert.Contains("\nReads to writes: 5.0\n", text, StringComparison.Ordinal);
        Assert.Contains("\nOne node is enough by each limit.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_comes_from_a_file()
    {
        await File.WriteAllTextAsync(directory["s"], "id bigint\r\nnote text avg 202 # and a header of 4\r\noverhead: 25\r\nindex: id\r\n");
        var plan = await Json($"plan estimate --schema {directory["s"]} --records 100M/day --retention 1825d");
        Assert.Equal(239, plan.GetProperty("recordBytes").GetDecimal());
        Assert.Equal(43_617_500_000_000, Row(plan, "totalRaw").GetInt64());
        Assert.Matches(@"(?m)^Total raw .* 39\.67 TiB$", await Run($"plan estimate --schema {directory["s"]} --records 100M/day --retention 1825d"));
    }

    [Fact]
    public async Task A_file_may_begin_with_the_mark_of_UTF_8()
    {
        await File.WriteAllTextAsync(directory["s"], "\uFEFFid bigint\nindex: id\n");
        await Json($"plan estimate --schema {directory["s"]} --records 100M/day --retention 1825d");
    }

    [Fact]
    public async Task Copies_beyond_floating_point_are_still_numbers()
    {
        var durability = (await Json("plan cluster --size 100TB --replicas 70")).GetProperty("durability");
        Assert.Equal((300, 1e-300), (durability.GetProperty("nines").GetDouble(), durability.GetProperty("lossPerObjectYear").GetDouble()));
        var text = await Run("plan cluster --size 100TB --replicas 70");
        Assert.Matches(@"(?m)^Durability of a file .* more than 15 nines$", text);
        Assert.Matches(@"(?m)^Loss of a given file .* less than 1e-300$", text);
    }

    [Theory]
    [InlineData("plan cluster --size 1TB --reads 9000000000000000000/s --node-reads 0.000000001/year --request-size 1B", "--node-reads: ")]
    [InlineData("plan cluster --size 1TB --reads 9000000000000000000/s --growth 9000% --years 4 --request-size 1B", "--growth: ")]
    [InlineData("plan cluster --size 8EB --node-size 1B --drive-size 1B --fill 100% --replicas 1", "")]
    [InlineData("plan estimate --record 1B --records 0.000000001/year --reads 900000000000000000/s --retention 1d", "--records: ")]
    [InlineData("plan estimate --record 1B --records 1/day --node-operations 0.0000000001/year --retention 1d --peak 10000 --reads 9000000000000000000/s", "--")]
    public async Task Numbers_too_far_apart_are_one_line_of_error(string line, string message)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        if (message.Length == 0)
        {
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            return;
        }

        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"error: {message}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_of_a_long_time_is_all_rows()
    {
        var plan = await Json("plan migrate --change add-column --rows 100 --row-rate 9000000000000000000/s --batch-time 1000y");
        Assert.Equal(100, plan.GetProperty("backfill").GetProperty("batchRows").GetInt64());
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    public async Task Plans_fit_a_narrow_terminal(int width)
    {
        foreach (var line in (string[])
        [
            "plan cluster --size 500TB --erasure 8+4 --racks 6 --growth 30% --years 3 --reads 10k/s --request-size 1MB",
            "plan estimate --record 250B --records 200M/day --reads 1bn/day --retention 5y --blob 2MiB --blob-fraction 20%",
            "plan skew --partitions 4 --keys 1000 --operations 1000",
            "plan migrate --change add-column --rows 500M",
        ])
        {
            var screen = (await CalledProgram.RunAsync(new Surroundings { Width = width }, line.Split(' '))).Out.Split('\n');
            // Text around tables has a width of its own.
            Assert.All(
                screen.Where(text => text.Contains("  ", StringComparison.Ordinal) && !text.StartsWith(' ')),
                text => Assert.InRange(text.Length, 0, width));
        }
        var whole = (await CalledProgram.RunAsync(
            new Surroundings { Width = width }, "plan", "cluster", "--size", "500TB", "--erasure", "8+4")).Out;
        Assert.Contains("parts lost within", string.Join(' ', whole.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_are_exact_and_beyond_2_to_the_53_they_are_strings()
    {
        var plan = await Json("plan estimate --record 250B --records 200M/day --retention 1825d --replicas 3 --index 30% --blob 2MiB --blob-fraction 20%");
        Assert.Equal(("ashlar/v1", "CapacityEstimate", "binary"), (plan.GetProperty("apiVersion").GetString(), plan.GetProperty("kind").GetString(), plan.GetProperty("units").GetString()));
        Assert.Equal(355_875_000_000_000, Row(plan, "indexed").GetInt64());
        Assert.Equal("153092096000000000", Row(plan, "blobs").GetString());
        Assert.Equal("727884621625000000", plan.GetProperty("totalBytes").GetString());
    }

    [Fact]
    public async Task Output_is_in_the_units_of_the_input_or_those_asked_for()
    {
        const string Line = "plan cluster --size 200PB --node-size 100TB";
        Assert.Contains("200.00 PB x 3 = 600.00 PB", await Run(Line), StringComparison.Ordinal);
        var text = await Run(Line + " --units binary");
        Assert.Contains("177.64 PiB x 3", text, StringComparison.Ordinal); // 2e17 / 2^50
        Assert.DoesNotMatch("[0-9] [KMGTPE]B", text);
        Assert.DoesNotMatch("[0-9] [KMGTPE]iB", await Run(Line));
    }

    [Fact]
    public async Task Clusters_are_sized()
    {
        Assert.Matches(@"(?m)^Metadata shards .* 120$", await Run("plan cluster --entries 12bn --entries-per-shard 100M"));
        var text = await Run("plan cluster --size 200PB --replicas 3 --node-size 100TB --fill 100% --reads 100k/s --node-reads 2000/min --request-size 1MB");
        Assert.Matches(@"(?m)^Nodes by capacity .* 6,000$", text);
        Assert.Matches(@"(?m)^Nodes busy with reads +100,000/s / 33\.3/s a node +3,000$", text);
        Assert.Matches(@"(?m)^Drives failing .* 1\.2 a day$", text); // 30,000 * 0.015 / 365
        Assert.Contains("Durability holds under these assumptions:", text, StringComparison.Ordinal);
        Assert.Equal(7059, (await Json("plan cluster --size 200PB --node-size 100TB")).GetProperty("storage").GetProperty("nodes").GetInt32());
    }

    [Fact]
    public async Task Skew_is_the_same_for_the_same_seed_and_draws_a_histogram()
    {
        const string Line = "plan skew --rule ring --distribution celebrity --partitions 8 --keys 1k --operations 10k --seed ";
        var text = await Run(Line + "5");
        Assert.Equal(text, await Run(Line + "5"));
        Assert.NotEqual(text, await Run(Line + "6"));
        Assert.Contains(" " + new string('#', 40) + "\n", text, StringComparison.Ordinal);
        Assert.Contains("\nVerdict       hot spot\n", text, StringComparison.Ordinal);
        Assert.Equal(10_000, (await Json(Line + "5")).GetProperty("partitions").EnumerateArray().Sum(partition => partition.GetProperty("operations").GetInt32()));
    }

    [Fact]
    public async Task A_migration_is_told_step_by_step()
    {
        var text = await Run("plan migrate --change add-column --rows 500M");
        Assert.Contains("1. Add the column (expand)\n", text, StringComparison.Ordinal);
        Assert.Contains("3. Fill old rows (backfill, 27.8 h)\n", text, StringComparison.Ordinal); // 500e6 / 5,000 = 100,000 s
        Assert.Contains("250,000 of 2,000 rows: 200 ms each, then 200 ms of pause", text, StringComparison.Ordinal);
        Assert.Equal(6, text.Split("   Way back ").Length - 1);
        Assert.Equal("Build the index\nUse it\nDrop what it replaces\n", await Run("plan migrate --change add-index --rows 1M -o name"));
    }

    [Theory]
    [InlineData("orders", "relational")]
    [InlineData("dashboard", "columnar")]
    [InlineData("sessions", "cache")]
    [InlineData("rides", "relational cache time-series")]
    [InlineData("urls", "key-value")]
    public async Task The_five_cases_are_answered(string name, string kinds)
    {
        Assert.Equal(kinds, (await Run($"plan advise --case {name} -o name")).TrimEnd().Replace('\n', ' '));
        var text = await Run($"plan advise --case {name}");
        Assert.StartsWith("Verdict\n", text, StringComparison.Ordinal);
        // A screen or two; what is more is asked for.
        Assert.InRange(text.Split('\n').Length, 10, 85);
        foreach (var label in (string[])["For example", "Earned by", "Trade-off", "Partition", "RPO", "RTO", "Ashlar"])
            Assert.Contains($"\n   {label} ", text, StringComparison.Ordinal);
        var full = await Run($"plan advise --case {name} --top 3");
        Assert.Contains("\n   Why ", full, StringComparison.Ordinal);
        Assert.Contains(": no. ", full, StringComparison.Ordinal);
        Assert.All((text + full).Split('\n'), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public async Task Needs_come_from_options_or_a_file()
    {
        Assert.Equal("cache\n", await Run("plan advise --queries lookup,expire --consistency session --role ephemeral --writes 10k/s --reads 50k/s --size 20GiB -o name"));
        await File.WriteAllTextAsync(directory["n"], "team = 2\n[a]\nqueries = search\nrole = derived\nreads = 20k/s\nsize = 1TB\n");
        var text = await Run($"plan advise --needs {directory["n"]}");
        Assert.Contains("Run 1: search engine for a (derived store", text, StringComparison.Ordinal);
        Assert.Contains("1.00 TB", text, StringComparison.Ordinal); // As in the file.
    }

    [Theory]
    [InlineData("estimate --record 250B --records 200M/day", "--retention is missing")]
    [InlineData("estimate --retention 1d --records 1/s", "--record: give --record or --schema")]
    [InlineData("estimate --retention 1d --record 1B", "--records is missing")]
    [InlineData("estimate --retention 1d --record -1 --records 1/s", "--record: '-1' is not a size: it is negative")]
    [InlineData("estimate --retention 1d --record 0 --records 1/s", "--record: '0' is not a size to plan with: it is zero")]
    [InlineData("estimate --retention 1d --record 9EiB --records 1/s", "--record: '9EiB' is not a size: too large")]
    [InlineData("estimate --retention 1d --record 1KiB5B --records 1/s", "--record: '1KiB5B' is not a size: expected one number with one unit")]
    [InlineData("estimate --retention 1d --record 1% --records 1/s", "--record: '1%' is not a size: unknown unit '%'")]
    [InlineData("estimate --retention 1d --record 1B --records 0/s", "--records: '0/s' is not a rate to plan with: it is zero")]
    [InlineData("estimate --retention 1d --record 1B --records -5/s", "--records: '-5' is not a rate: it is negative")]
    [InlineData("estimate --retention 1d --record 1B --records 200M", "--records: '200M' is not a rate: say in what time")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --users 5", "--records: --users say it already")]
    [InlineData("estimate --retention 1d --record 1B --users 5", "--users: give --writes-per-user, too")]
    [InlineData("estimate --retention 1d --record 1B --users 5 --writes-per-user 0", "--writes-per-user: a plan needs more than 0")]
    [InlineData("estimate --retention 1d --record 1B --users 9bn --writes-per-user 1bn", "--records: ", "--retention: ")]
    [InlineData("estimate --retention 1d --record 1B --users 9000T --writes-per-user 1bn", "--writes-per-user: times the users it is more than 2^63 - 1 a day")]
    [InlineData("estimate --retention 1d --record 1TiB --users 9bn --writes-per-user 5", "--writes-per-user: together with the others")]
    [InlineData("estimate --retention 1d --record 1B --writes-per-user 2", "--writes-per-user: give --users, too")]
    [InlineData("estimate --retention 1d --record 1B --reads-per-user 2", "--reads-per-user: give --users, too")]
    [InlineData("estimate --retention 6m --record 1B --records 1/s", "--retention: '6m' is not a time: 'm' may mean minutes or months")]
    [InlineData("estimate --retention 0d --record 1B --records 1/s", "--retention: '0d' is not a time to plan with: it is zero")]
    [InlineData("estimate --retention 100y --record 1MiB --records 1M/s", "--retention: together with the others this makes more than 8EiB - 1")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --replicas 0", "--replicas: '0' is not a number to plan with: it is zero")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --replicas 1.5", "--replicas: '1.5' is not a whole number: write 1 or 2")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --index 30", "--index: '30' is not a share: write 30%")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --index -3%", "--index: '-3%' is not a share: it is negative")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --blob 2MiB", "--blob-fraction: give the share of records that carry a blob, too")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --blob-fraction 2%", "--blob: give the size of the blobs, too")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --blob-fraction 101% --blob 1B", "--blob-fraction: '101%' is not a share to plan with: the most is 100 %")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --blob-replicas 2", "--blob-replicas: there are no blobs")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --blob-backups 2", "--blob-backups: there are no blobs")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --peak 0.5", "--peak: '0.5' is not a number to plan with: expected 1 to 10,000")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --wal 1GiB", "--wal: '1GiB' is not a time: unknown unit 'GiB'")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --compaction -1%", "--compaction: '-1%' is not a share: it is negative")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --audit -1B", "--audit: '-1B' is not a size: it is negative")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --audit-retention 1y", "--audit-retention: give --audit, too")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --free 100%", "--free: '100%' is not a share to plan with: the most is 95 %")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --backups -1", "--backups: '-1' is not a number: it is negative")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --node-size 0", "--node-size: '0' is not a size to plan with")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --node-operations 5", "--node-operations: '5' is not a rate: say in what time")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --node-bandwidth 1GiB", "--node-bandwidth: '1GiB' is not a bandwidth: say in a second")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s --units metric", "--units: 'metric' is not a system of units: expected binary, decimal")]
    [InlineData("estimate --retention 1d --record 1KiB --records 1/s --node-size 1TB", "--node-size: its unit is decimal, but that of --record is binary")]
    [InlineData("estimate --retention 1d --record 1B --records 1/s -o name", "this plan has no names")]
    [InlineData("cluster", "--size: there is nothing to size")]
    [InlineData("cluster --size 200PB --node-size 100TiB", "--node-size: its unit is binary, but that of --size is decimal: one plan does not mix them")]
    [InlineData("cluster --files 12bn", "--files: give --mean-size or --size, too")]
    [InlineData("cluster --files 12B --mean-size 1MB", "--files: '12B' is not a number: 'B' is a unit of bytes")]
    [InlineData("cluster --files 9bn --mean-size 2EB", "--mean-size: together with the others this makes more than 8EiB - 1")]
    [InlineData("cluster --size 7EiB --replicas 3", "--replicas: together with the others")]
    [InlineData("cluster --size 1PB --reads 5/s", "--request-size: give it, or --mean-size")]
    [InlineData("cluster --size 1PB --node-reads 5/s", "--node-reads: give --reads, too")]
    [InlineData("cluster --size 1PB --node-writes 5/s", "--node-writes: give --writes, too")]
    [InlineData("cluster --size 1PB --io-per-read 5", "--io-per-read: give --reads, too")]
    [InlineData("cluster --size 1PB --partition-size 5GB", "--partition-size: give --keys, too")]
    [InlineData("cluster --size 1PB --entries-per-shard 5", "--entries-per-shard: give --entries or --files, too")]
    [InlineData("cluster --size 1PB --replicas 2.5", "--replicas: '2.5' is not a whole number: write 2 or 3")]
    [InlineData("cluster --size 1PB --erasure 8+4 --replicas 3", "--erasure: --replicas says it already")]
    [InlineData("cluster --size 1PB --erasure 8", "--erasure: '8' is not an erasure code: write parts of data and of parity")]
    [InlineData("cluster --size 1PB --racks 1", "--racks: a rack would hold 3 of the 3 pieces of a file, of which 2 may be missing: at least 2 racks")]
    [InlineData("cluster --size 1PB --growth 30%", "--growth: for how many years?")]
    [InlineData("cluster --size 1PB --replicas 1 --rebuild-rate 5MB/s", "--rebuild-rate: nothing rebuilds a single copy")]
    [InlineData("cluster --size 1PB --drive-size 20TB --node-size 15TB", "--drive-size: a drive does not hold more than the node")]
    [InlineData("cluster --entries 5 --afr 2%", "--afr: there are no files")]
    [InlineData("cluster --size 1PB --afr 0%", "--afr: '0%' is not a share to plan with: it is zero")]
    [InlineData("cluster --keys 9000000T --key-value-size 1KiB", "--key-value-size: together with the others")]
    [InlineData("skew --rule hsah", "--rule: 'hsah' is not a rule: expected hash, modulo, range, ring, rendezvous, salted")]
    [InlineData("skew --distribution normal", "--distribution: 'normal' is not a distribution")]
    [InlineData("skew --partitions 0", "--partitions: '0' is not a number to plan with: it is zero")]
    [InlineData("skew --partitions 2k", "--partitions: '2k' is not a number to plan with: the most is 1,024")]
    [InlineData("skew --keys 5", "--keys: fewer than the 16 partitions")]
    [InlineData("skew --operations 1bn", "--operations: '1bn' is not a number to plan with: the most is 100,000,000")]
    [InlineData("skew --zipf 1", "--zipf: it goes with --distribution zipf")]
    [InlineData("skew --celebrity 30%", "--celebrity: it goes with --distribution celebrity")]
    [InlineData("skew --virtual-nodes 3", "--virtual-nodes: it goes with --rule ring")]
    [InlineData("skew --hot-keys 3", "--hot-keys: it goes with --rule salted")]
    [InlineData("skew --rule salted --salts 17", "--salts: expected 1 to 16, the number of partitions")]
    [InlineData("skew --seed -1", "--seed: '-1' is not a number: it is negative")]
    [InlineData("migrate --rows 1M", "--change is missing")]
    [InlineData("migrate --change add-index", "--rows is missing")]
    [InlineData("migrate --change add-column --rows 0", "--rows: '0' is not a number to plan with: it is zero")]
    [InlineData("migrate --rows 1M --change add-row", "--change: 'add-row' is not a change: expected add-column, change-type,")]
    [InlineData("migrate --change add-column --rows 1M --load 10k/s", "--load: users' 10,000/s leave nothing of the 10,000/s")]
    [InlineData("migrate --change add-column --rows 1M --row-size -5B", "--row-size: '-5B' is not a size: it is negative")]
    [InlineData("migrate --change add-column --rows 1M --row-rate 5", "--row-rate: '5' is not a rate")]
    [InlineData("migrate --change add-column --rows 1M --spare 0%", "--spare: '0%' is not a share to plan with: it is zero")]
    [InlineData("migrate --change add-column --rows 1M --batch 2M", "--batch: larger than the 1,000,000 rows there are")]
    [InlineData("migrate --change add-column --rows 1M --batch 5 --batch-time 1s", "--batch: --batch-time says it already")]
    [InlineData("migrate --change add-column --rows 9T --row-rate 1/day", "--rows: at what --row-rate, --load and --spare leave, this takes more than 1,000 years")]
    [InlineData("migrate --change add-column --rows 1M --soak 1m", "--soak: '1m' is not a time: 'm' may mean")]
    [InlineData("advise", "--queries is missing")]
    [InlineData("advise --queries lokup", "--queries: 'lokup' is not a query pattern: expected lookup,")]
    [InlineData("advise --queries transaction", "--consistency: 'data' has transactions among its queries")]
    [InlineData("advise --queries lookup --consistency strict", "--consistency: 'strict' is not a consistency: expected eventual, session, strong, transactions")]
    [InlineData("advise --queries lookup --role master", "--role: 'master' is not a role: expected record, derived, ephemeral")]
    [InlineData("advise --queries lookup --writes -1/s", "--writes: '-1' is not a rate: it is negative")]
    [InlineData("advise --queries lookup --size 1GiB --node-size 1TB", "--node-size: its unit is decimal, but that of --size is binary")]
    [InlineData("advise --queries lookup --team 0", "--team: '0' is not a number to plan with: it is zero")]
    [InlineData("advise --case shop", "--case: 'shop' is not a case: expected orders, dashboard, sessions, rides, urls")]
    [InlineData("advise --case rides --writes 5/s", "--writes: --case says it already")]
    [InlineData("advise --case rides --needs x", "--case: --needs says it already")]
    [InlineData("advise --queries blob,join,expire,traverse,window --writes 1M/s", "--queries: no single kind of store serves")]
    public async Task What_cannot_be_planned_gets_one_line_that_names_the_option(string line, params string[] messages)
    {
        var result = await CalledProgram.RunAsync(["plan", .. line.Split(' ')]);
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.True(messages.Any(message => result.Error.StartsWith($"error: {message}", StringComparison.Ordinal)), result.Error);
        Assert.InRange(result.Error.Count(c => c == '\n'), 1, 2); // The second is a hint.
    }

    [Fact]
    public async Task A_bad_file_is_named_with_its_line()
    {
        await File.WriteAllTextAsync(directory["s"], "id bigint\nname strng\n");
        Assert.StartsWith($"error: --schema: {directory["s"]}: line 2: 'strng' is no SQL type that is known here", await Fail($"plan estimate --schema {directory["s"]} --records 1/s --retention 1d"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(directory["n"], "[a]\nqueries = transaction\n");
        Assert.StartsWith("error: --needs: consistency: 'a' has transactions", await Fail($"plan advise --needs {directory["n"]}"), StringComparison.Ordinal);
        Assert.Contains(directory["none"], await Fail($"plan advise --needs {directory["none"]}", 5), StringComparison.Ordinal);
        await File.WriteAllTextAsync(directory["m"], "[a]\nqueries = lookup\nsize = 1TB\n");
        Assert.StartsWith("error: --node-size: its unit is binary, but that of --needs is decimal", await Fail($"plan advise --needs {directory["m"]} --node-size 5TiB"), StringComparison.Ordinal);
    }

    static JsonElement Row(JsonElement plan, string id) =>
        plan.GetProperty("rows").EnumerateArray().Single(row => row.GetProperty("id").GetString() == id).GetProperty("bytes");

    static async Task<string> Run(string line)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out;
    }

    static async Task<JsonElement> Json(string line) => JsonDocument.Parse(await Run(line + " -o json")).RootElement;

    static async Task<string> Fail(string line, int exitCode = 2)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Out));
        return result.Error;
    }
}
