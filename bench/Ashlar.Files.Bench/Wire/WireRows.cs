using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Files.Bench;

/// <summary>How much is done.</summary>
/// <param name="FileBytes">Length of a large file.</param>
/// <param name="Rounds">How often, by turns.</param>
/// <param name="SmallFiles">Files of 1 KiB.</param>
/// <param name="Listed">Names in the directory that is listed.</param>
/// <param name="Ranges">Ranges that each client reads.</param>
sealed record WireWork(long FileBytes, int Rounds, int SmallFiles, int Listed, int Ranges);

/// <summary>
/// Files over the wire, beside a plain web server that is asked by the same client for the same bytes. All that is measured together
/// alternates.
/// </summary>
sealed class WireRows(ServerProcess one, ServerProcess three, ServerProcess plain, string directory, WireWork work)
{
    const int Clients = 16, SmallBytes = 1024, RangeBytes = 64 << 10, RangedBytes = 16 << 20, Page = 1000;

    public void Run(IReadOnlyList<string> rows)
    {
        foreach (var server in (ServerProcess[])[one, three]) Prepare(server);
        Table.Begin();
        if (rows.Contains("small", StringComparer.Ordinal)) MeasureSmall();
        if (rows.Contains("list", StringComparer.Ordinal)) MeasureLists();
        if (rows.Contains("large", StringComparer.Ordinal)) foreach (var server in (ServerProcess[])[one, three]) MeasureLarge(server);
        if (rows.Contains("range", StringComparer.Ordinal)) MeasureRanges();
        if (rows.Contains("memory", StringComparer.Ordinal)) MeasureMemory();
    }

    /// <summary>Stores files until it is told to end.</summary>
    public static void Load(ServerProcess server, int uploads, long fileBytes, CancellationToken ended)
    {
        Prepare(server);
        var door = Door.S3(server);
        Many(uploads, client =>
        {
            using var connection = door.Connect();
            // One name each: what is replaced is collected.
            for (var turn = 0; !ended.IsCancellationRequested; turn++)
                door.Put(connection, $"load{client}", new PatternStream(fileBytes, (ulong)((client + 1) * 1_000_000 + turn)));
        });
    }

    static void Prepare(ServerProcess server)
    {
        var door = Door.S3(server);
        using var connection = door.Connect();
        var headers = door.Headers("PUT", $"/{Door.Bucket}", "", S3Signer.Unsigned);
        if (connection.Ask("PUT", $"/{Door.Bucket}", headers).Status is not (200 or 409)) throw new IOException("there is no bucket");
    }

    void MeasureLarge(ServerProcess server)
    {
        var (rest, s3, floor) = (Door.Rest(server), Door.S3(server), Door.Plain(plain));
        var mebibytes = work.FileBytes / (1 << 20);
        var copies = server.Copies == 1 ? "1 copy" : $"{server.Copies} copies, 2 before the answer";
        Dictionary<string, List<double>> rates = new(StringComparer.Ordinal) { ["hash"] = [], ["md5"] = [], ["disk"] = [] };
        foreach (var door in (Door[])[rest, s3, floor])
            foreach (var what in (string[])["put", "again", "get"]) rates[door.Name + what] = [];
        // What is compiled while it runs first is not measured.
        foreach (var door in (Door[])[rest, s3, floor])
            PutAndGet(door, "warm" + door.Name[..1], (ulong)(900 + door.Name.Length), Math.Min(work.FileBytes, 64 << 20), null);
        for (var round = 0; round < work.Rounds; round++)
        {
            rates["hash"].Add(Floors.Hash(HashAlgorithmName.SHA256, work.FileBytes));
            rates["md5"].Add(Floors.Hash(HashAlgorithmName.MD5, work.FileBytes / 4));
            Sync();
            rates["disk"].Add(Floors.Write(directory, work.FileBytes));
            Door[] doors = round % 2 == 0 ? [rest, s3, floor] : [floor, s3, rest];
            foreach (var door in doors)
                PutAndGet(door, $"{door.Name[..1]}{round}", (ulong)(round * 2 + (door == s3 ? 1 : 0)), work.FileBytes, rates);
        }

        double Rate(string name) => Floors.Median(rates[name]);
        var least = Math.Min(Rate("hash"), Rate("disk") / server.Copies);
        Console.Error.WriteLine(FormattableString.Invariant(
            $"SHA-256 {Rate("hash"):F0}, MD5 {Rate("md5"):F0}, disk {Rate("disk"):F0} MiB/s"));
        foreach (var door in (Door[])[rest, s3])
        {
            var (what, put) = ($"{mebibytes} MiB, {door.Name}, {copies}, MiB/s", Rate(door.Name + "put"));
            Table.Row($"put {what}", put, "SHA-256, or disk by copies:", least, "0.6");
            Table.Row($"put {what}", put, "plain Kestrel, 1 copy:", Rate(floor.Name + "put"), "");
            Table.Row($"the same again {what}", Rate(door.Name + "again"), "first put:", put, "3");
            Table.Row($"get {what}", Rate(door.Name + "get"), "plain Kestrel:", Rate(floor.Name + "get"), "0.7");
        }

        foreach (var (name, values) in rates)
            Console.Error.WriteLine($"  {name}: {string.Join(" ", values.Select(Table.Number))}");
    }

    void PutAndGet(Door door, string name, ulong seed, long bytes, Dictionary<string, List<double>>? rates)
    {
        using var connection = door.Connect();
        Take("put", () => door.Put(connection, name, new PatternStream(bytes, seed)));
        if (door.Server != plain)
        {
            var blocks = SettledBlocks(door.Server);
            Take("again", () => door.Put(connection, name + "-again", new PatternStream(bytes, seed)));
            if (SettledBlocks(door.Server) != blocks) throw new InvalidOperationException("content that is there was stored again");
        }

        Take("get", () =>
        {
            if (door.Get(connection, name) != bytes) throw new IOException("not all of the file came");
        });

        void Take(string what, Action act)
        {
            Sync();
            var (begun, cpu) = (Stopwatch.GetTimestamp(), door.Server.CpuSeconds);
            act();
            var taken = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            if (rates is null) return;
            rates[door.Name + what].Add(bytes / (double)(1 << 20) / taken);
            Console.Error.WriteLine(FormattableString.Invariant(
                $"  {door.Name} {what}: {bytes / (1 << 20) / taken:F0} MiB/s, server ")
                + FormattableString.Invariant($"{(door.Server.CpuSeconds - cpu) / taken:F2} processors"));
        }
    }

    // Copies that follow the answer are there when their number does not change any more.
    static int SettledBlocks(ServerProcess server)
    {
        var blocks = server.Blocks;
        while (true)
        {
            Thread.Sleep(200);
            if (server.Blocks is var now && now == blocks) return blocks;
            blocks = server.Blocks;
        }
    }

    void MeasureSmall()
    {
        var content = new byte[SmallBytes];
        new Random(3).NextBytes(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        var rates = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        Door[] doors = [Door.S3(one), Door.Rest(one), Door.Plain(plain)];
        foreach (var door in doors) Small(door, "warm", Math.Max(500, work.SmallFiles / 4));
        for (var round = 0; round < work.Rounds; round++)
        {
            foreach (var door in round % 2 == 0 ? doors : doors.Reverse())
            {
                if (!rates.TryGetValue(door.Name, out var list)) rates[door.Name] = list = [];
                list.Add(Small(door, $"s{round}", work.SmallFiles));
            }
        }

        var floor = Floors.Median(rates[doors[2].Name]);
        foreach (var door in doors[..2])
            Table.Row(
                $"files of 1 KiB, durable, {Clients} clients, {door.Name}, a second", Floors.Median(rates[door.Name]),
                "plain Kestrel, a synced file each:", floor, door.Name == "S3" ? "4,500/s" : "");

        double Small(Door door, string beginning, int files)
        {
            var next = -1;
            var times = new List<double>[Clients];
            var (begun, cpu) = (Stopwatch.GetTimestamp(), door.Server.CpuSeconds);
            var load = Environment.CpuUsage.TotalTime;
            Many(Clients, client =>
            {
                using var connection = door.Connect();
                var taken = times[client] = [];
                while (Interlocked.Increment(ref next) is var number && number < files)
                {
                    var began = Stopwatch.GetTimestamp();
                    door.Put(connection, $"{door.Name[..1]}{beginning}-{number:x6}", new MemoryStream(content), hash);
                    taken.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            });
            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var all = times.SelectMany(static each => each).Order().ToArray();
            Console.Error.WriteLine(FormattableString.Invariant(
                $"  {door.Name}: {files / seconds:F0} files/s, p99 {all[all.Length * 99 / 100]:F1} ms, CPU a file: server ")
                + FormattableString.Invariant(
                $"{(door.Server.CpuSeconds - cpu) / files * 1e6:F0} us, ")
                + FormattableString.Invariant($"load {(Environment.CpuUsage.TotalTime - load).TotalMicroseconds / files:F0} us"));
            return files / seconds;
        }
    }

    void MeasureLists()
    {
        var (rest, s3) = (Door.Rest(one), Door.S3(one));
        List<double> ofRest = [], ofS3 = [];
        for (var round = 0; round < work.Rounds + 1; round++)
        {
            var (listedByRest, listedByS3) = (ListRest(rest), ListS3(s3));
            if (round == 0) continue;
            ofRest.Add(listedByRest);
            ofS3.Add(listedByS3);
        }

        Table.Row($"list {work.Listed:N0} names, REST, a second", Table.Number(Floors.Median(ofRest)), "200,000/s");
        Table.Row($"list {work.Listed:N0} names, S3, a second", Table.Number(Floors.Median(ofS3)), "200,000/s");
        Once("first page, REST, ms", () => rest.Ask, WireFill.RestPath, "limit=1000");
        Once("first page, S3, ms", () => s3.Ask, $"/{WireFill.Bucket}", "list-type=2&prefix=d%2F");
        Once("delimiter above all of them, S3, ms", () => s3.Ask, $"/{WireFill.Bucket}", "delimiter=%2F&list-type=2");
        Once("directory above all of them, REST, ms", () => rest.Ask, $"/v1/customers/main/files/{WireFill.Bucket}", "limit=1000");

        void Once(string name, Func<Func<HttpConnection, string, string, string, HttpAnswer>> ask, string path, string query)
        {
            var times = new List<double>();
            using var connection = name.Contains("S3", StringComparison.Ordinal) ? s3.Connect() : rest.Connect();
            for (var turn = 0; turn < 20; turn++)
            {
                var begun = Stopwatch.GetTimestamp();
                ask()(connection, "GET", path, query);
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }

            Table.Row($"{name}, median and most of 20", $"{Table.Number(Floors.Median(times))}, {Table.Number(times.Max())}", "10");
        }
    }

    double ListRest(Door door)
    {
        using var connection = door.Connect();
        var (names, target) = (0, $"{WireFill.RestPath}?limit={Page}");
        return Timed(door, () =>
        {
            while (target is not null)
            {
                var parts = target.Split('?');
                var answer = door.Ask(connection, "GET", parts[0], parts[1]);
                names += answer.Body.Span.Count("\"kind\":\"File\""u8);
                target = Between(answer.Body.Span, "\"next\":\"", "\"")?.Replace("\\u0026", "&", StringComparison.Ordinal);
            }

            return names;
        });
    }

    double ListS3(Door door)
    {
        using var connection = door.Connect();
        var (names, token) = (0, (string?)null);
        return Timed(door, () =>
        {
            do
            {
                var query = $"list-type=2&max-keys={Page}&prefix=d%2F";
                if (token is not null) query = $"continuation-token={Uri.EscapeDataString(token)}&{query}";
                var answer = door.Ask(connection, "GET", $"/{WireFill.Bucket}", query);
                names += answer.Body.Span.Count("<Key>"u8);
                token = Between(answer.Body.Span, "<NextContinuationToken>", "<");
            }
            while (token is not null);

            return names;
        });
    }

    double Timed(Door door, Func<int> list)
    {
        var (begun, cpu, own) = (Stopwatch.GetTimestamp(), door.Server.CpuSeconds, Environment.CpuUsage.TotalTime);
        var names = list();
        var taken = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        if (names != work.Listed) throw new InvalidOperationException($"{door.Name}: {names} of {work.Listed} names are listed");
        Console.Error.WriteLine(FormattableString.Invariant(
            $"  {door.Name}: {names / taken:F0} names/s, CPU a page: server {(door.Server.CpuSeconds - cpu) / names * 1e9:F0} us, ")
            + FormattableString.Invariant($"load {(Environment.CpuUsage.TotalTime - own).TotalMicroseconds / names * 1000:F0} us"));
        return names / taken;
    }

    static string? Between(ReadOnlySpan<byte> text, string before, string behind)
    {
        var at = text.LastIndexOf(Encoding.ASCII.GetBytes(before));
        if (at < 0) return null;
        var rest = text[(at + before.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf(Encoding.ASCII.GetBytes(behind))]);
    }

    void MeasureRanges()
    {
        Door[] doors = [Door.Rest(one), Door.S3(one), Door.Plain(plain)];
        Dictionary<string, List<double>> middle = new(StringComparer.Ordinal), last = new(StringComparer.Ordinal);
        foreach (var door in doors)
        {
            using var connection = door.Connect();
            door.Put(connection, "ranged", new PatternStream(RangedBytes, 77));
            door.Get(connection, "ranged");
            (middle[door.Name], last[door.Name]) = ([], []);
        }

        for (var round = 0; round < work.Rounds + 1; round++)
        {
            foreach (var door in round % 2 == 0 ? doors : doors.Reverse())
            {
                var times = Ranges(door);
                if (round == 0) continue;
                middle[door.Name].Add(times[times.Length / 2]);
                last[door.Name].Add(times[times.Length * 99 / 100]);
            }
        }

        var floor = Floors.Median(last[doors[2].Name]);
        foreach (var door in doors[..2])
            Table.Row(
                $"range of 64 KiB in memory, {Clients} clients, {door.Name}, p99 ms (p50 {Table.Number(Floors.Median(middle[door.Name]))})",
                Floors.Median(last[door.Name]), "plain Kestrel:", floor, "5 ms");
    }

    double[] Ranges(Door door)
    {
        var times = new double[Clients][];
        Many(Clients, client =>
        {
            using var connection = door.Connect();
            var random = new Random(client);
            var taken = times[client] = new double[work.Ranges];
            for (var turn = 0; turn < taken.Length; turn++)
            {
                var begun = Stopwatch.GetTimestamp();
                door.Get(connection, "ranged", (random.Next(RangedBytes / RangeBytes) * (long)RangeBytes, RangeBytes));
                taken[turn] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
        });
        return [.. times.SelectMany(static each => each).Order()];
    }

    // What many take at a time does not depend on how long their files are.
    void MeasureMemory()
    {
        foreach (var door in (Door[])[Door.S3(three), Door.Rest(three)])
        {
            var read = "many" + door.Name;
            using (var connection = door.Connect()) door.Put(connection, read, new PatternStream(work.FileBytes / 2, 888));
            three.ForgetPeak();
            Many(2 * Clients, client =>
            {
                using var connection = door.Connect();
                var seed = (ulong)(10_000 + client + (door.Name == "S3" ? 500 : 0));
                if (client % 2 == 0) door.Put(connection, $"many{client}{door.Name}", new PatternStream(work.FileBytes / 8, seed));
                else for (var turn = 0; turn < 2; turn++) door.Get(connection, read);
            });
            Table.Row(
                $"{Clients} uploads and {Clients} downloads at a time, {door.Name}, 3 copies: most memory of the server, MiB",
                Table.Number(three.PeakMebibytes), "512");
        }
    }

    static void Many(int count, Action<int> act)
    {
        Exception? failed = null;
        var threads = Enumerable.Range(0, count).Select(number => new Thread(() =>
        {
            try
            {
                act(number);
            }
            catch (Exception failure)
            {
                failed = failure;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failed is not null) throw new IOException(failed.Message, failed);
    }

    // What one has left to write back is not another's cost.
    void Sync()
    {
        using var sync = Process.Start("sync", ["-f", directory]);
        sync.WaitForExit();
    }
}
