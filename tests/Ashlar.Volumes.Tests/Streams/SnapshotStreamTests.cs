using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Streams of snapshots: what comes out goes in, and nothing else does.</summary>
public sealed class SnapshotStreamTests
{
    const int Size = 4 << 20;

    [Theory]
    [InlineData(4096, Size)]
    [InlineData(512, Size - 512)]
    public async Task A_chain_of_streams_makes_the_same_volume_on_another_pool(int blockSize, int size)
    {
        await using var source = await TestPool.CreateAsync();
        await using var target = await TestPool.CreateAsync(options: TestPool.DefaultOptions(seed: 9));
        var device = await source.CreateVolumeAsync("a", size, blockSize);
        var random = new SeededRandom(TestSeeds.Several(nameof(SnapshotStreamTests), 1)[0]);
        var states = new List<byte[]>();
        for (var step = 1; step <= 4; step++)
        {
            for (var i = 0; i < 12; i++)
            {
                var at = random.Next(0, size / blockSize);
                var count = random.Next(1, Math.Min(300, (size / blockSize) - at + 1));
                if (random.Next(0, 4) == 0) await device.TrimAsync(new Lba(at), count);
                else await device.WriteAsync(new Lba(at), random.Bytes(count * blockSize));
            }

            await source.Pool.TakeSnapshotAsync("a", $"s{step}");
            states.Add(await ReadAsync(source.Pool.OpenSnapshot("a", $"s{step}")!));
            var stream = await ExportAsync(source.Pool, $"s{step}", step == 1 ? null : $"s{step - 1}");
            var imported = await target.Pool.ImportSnapshotAsync("b", new MemoryStream(stream));
            Assert.Equal(($"s{step}", size), (imported.Name, (int)imported.SizeBytes));
            Assert.Equal(states[^1], await ReadAsync(target.Pool.OpenVolume("b")!));
        }

        for (var step = 1; step <= 4; step++)
            Assert.Equal(states[step - 1], await ReadAsync(target.Pool.OpenSnapshot("b", $"s{step}")!));
        await target.ReopenAsync();
        Assert.Empty(await target.Pool.RecoverImportsAsync());
        Assert.Equal(states[^1], await ReadAsync(target.Pool.OpenVolume("b")!));
        // What was imported is the same wherever it goes next.
        await using var third = await TestPool.CreateAsync(options: TestPool.DefaultOptions(seed: 10));
        await third.Pool.ImportSnapshotAsync("c", new MemoryStream(await ExportAsync(source.Pool, "s1", null)));
        await third.Pool.ImportSnapshotAsync("c", new MemoryStream(await ExportAsync(target.Pool, "s3", "s1", "b")));
        Assert.Equal(states[2], await ReadAsync(third.Pool.OpenVolume("c")!));
    }

    [Fact]
    public async Task A_volume_that_grew_or_shrank_does_so_where_it_is_imported()
    {
        await using var source = await TestPool.CreateAsync();
        await using var target = await TestPool.CreateAsync(options: TestPool.DefaultOptions(seed: 9));
        var device = await source.CreateVolumeAsync("a", Size);
        await device.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(Size));
        foreach (var (name, size) in ((string, int)[])[("s1", Size), ("s2", 2 * Size), ("s3", Size / 2)]) await StepAsync(name, size);

        async Task StepAsync(string name, int size)
        {
            if (size != Size || name != "s1") await source.Pool.ResizeVolumeAsync("a", size, allowShrink: true);
            await device.WriteAsync(new Lba((size / 4096) - 1), new SeededRandom(2).Bytes(4096));
            await source.Pool.TakeSnapshotAsync("a", name);
            var before = source.Pool.ListSnapshots("a").Reverse().Skip(1).FirstOrDefault()?.Name;
            await target.Pool.ImportSnapshotAsync("b", new MemoryStream(await ExportAsync(source.Pool, name, before)));
            Assert.Equal(await ReadAsync(source.Pool.OpenVolume("a")!), await ReadAsync(target.Pool.OpenVolume("b")!));
        }
    }

    [Fact]
    public async Task A_stream_that_is_cut_anywhere_leaves_nothing_behind()
    {
        await using var test = await ChainAsync();
        foreach (var stream in test.Streams)
        {
            var before = await test.StateAsync();
            foreach (var length in (int[])[0, 1, 90, 100, 200, stream.Length / 2, stream.Length - 33, stream.Length - 1])
            {
                var error = await Assert.ThrowsAsync<SnapshotStreamException>(() =>
                    test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(stream[..length])));
                Assert.Equal(SnapshotStreamProblem.CutOff, error.Problem);
                Assert.Equal(before, await test.StateAsync());
            }

            await test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(stream));
        }
    }

    [Fact]
    public async Task A_stream_with_any_bit_changed_leaves_nothing_behind()
    {
        await using var test = await ChainAsync();
        var random = new SeededRandom(TestSeeds.Several(nameof(A_stream_with_any_bit_changed_leaves_nothing_behind), 1)[0]);
        foreach (var stream in test.Streams)
        {
            var before = await test.StateAsync();
            // The header byte by byte, some of the end, some of the rest.
            int[] places = [.. Enumerable.Range(0, 96), .. Enumerable.Range(0, 16).Select(back => stream.Length - 1 - (back * 4))];
            foreach (var place in places.Concat(Enumerable.Range(0, 10).Select(_ => random.Next(0, stream.Length))))
            {
                var altered = stream.ToArray();
                altered[place] ^= (byte)(1 << random.Next(0, 8));
                var error = await Assert.ThrowsAsync<SnapshotStreamException>(() =>
                    test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(altered)));
                Assert.True(
                    error.Problem is SnapshotStreamProblem.Altered or SnapshotStreamProblem.NotAStream
                        or SnapshotStreamProblem.UnsupportedVersion or SnapshotStreamProblem.CutOff,
                    $"byte {place}: {error.Message}");
            }

            Assert.Equal(before, await test.StateAsync());
            await test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(stream));
        }
    }

    [Fact]
    public async Task Records_out_of_order_or_left_out_are_found_though_each_is_whole()
    {
        await using var test = await ChainAsync();
        var header = 88 + 2 + 4;
        var stream = test.Streams[0];
        var first = 32 + (int)BitConverter.ToInt64(stream, header + 16);
        var second = 32 + (int)BitConverter.ToInt64(stream, header + first + 16);
        byte[] swapped =
        [
            .. stream.AsSpan(0, header), .. stream.AsSpan(header + first, second), .. stream.AsSpan(header, first),
            .. stream.AsSpan(header + first + second),
        ];
        byte[] left = [.. stream.AsSpan(0, header), .. stream.AsSpan(header + first)];
        byte[] longer = [.. stream, 0];
        foreach (var wrong in (byte[][])[swapped, left, longer])
        {
            var error = await Assert.ThrowsAsync<SnapshotStreamException>(() =>
                test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(wrong)));
            Assert.Equal(SnapshotStreamProblem.Altered, error.Problem);
        }

        Assert.Empty(test.Target.Pool.ListVolumes());
    }

    [Fact]
    public async Task A_stream_that_does_not_fit_is_refused_before_anything_is_changed()
    {
        await using var test = await ChainAsync();
        var pool = test.Target.Pool;
        await FailsAsync(SnapshotStreamProblem.WrongParent, test.Streams[1]); // There is no volume.
        await FailsAsync(SnapshotStreamProblem.TooLarge, test.Streams[0], new() { MaxSizeBytes = Size - 1 });
        await pool.ImportSnapshotAsync("b", new MemoryStream(test.Streams[0]));
        await FailsAsync(SnapshotStreamProblem.AlreadyThere, test.Streams[0]);
        await FailsAsync(SnapshotStreamProblem.WrongParent, test.Streams[2]); // s2 is missing.

        // Written since.
        await pool.OpenVolume("b")!.WriteAsync(new Lba(7), new SeededRandom(3).Bytes(4096));
        await FailsAsync(SnapshotStreamProblem.VolumeChanged, test.Streams[1]);
        Assert.Equal(["s1"], pool.ListSnapshots("b").Select(each => each.Name));
        await pool.ImportSnapshotAsync("b", new MemoryStream(test.Streams[1]), new() { MayRevert = true });
        Assert.Equal(test.States[1], await ReadAsync(pool.OpenVolume("b")!));
        await FailsAsync(SnapshotStreamProblem.AlreadyThere, test.Streams[1]); // Once is enough.
        await (await pool.DeleteSnapshotsAsync("b", ["s1"]));
        await FailsAsync(SnapshotStreamProblem.WrongParent, test.Streams[0]); // There is a volume, of that very snapshot, but without it.

        async Task FailsAsync(SnapshotStreamProblem problem, byte[] stream, SnapshotImportOptions? options = null)
        {
            var error = await Assert.ThrowsAsync<SnapshotStreamException>(() =>
                pool.ImportSnapshotAsync("b", new MemoryStream(stream), options));
            Assert.Equal(problem, error.Problem);
        }
    }

    [Fact]
    public async Task An_import_that_finds_no_room_leaves_nothing_behind()
    {
        await using var test = await ChainAsync(chunksOfTarget: 20);
        var full = await Assert.ThrowsAsync<DeviceFullException>(() =>
            test.Target.Pool.ImportSnapshotAsync("b", new MemoryStream(test.Streams[0])));
        Assert.StartsWith("main/b: no space left", full.Message, StringComparison.Ordinal);
        Assert.Empty(test.Target.Pool.ListVolumes());
        Assert.Empty(test.Target.Pool.ListNotes("import-new"));
    }

    [Fact]
    public void The_header_is_as_the_documentation_draws_it()
    {
        var header = new SnapshotStreamHeader(
            new Guid("00112233-4455-6677-8899-aabbccddeeff"),
            new Guid("11111111-2222-3333-4444-555555555555"),
            null,
            "s1",
            "",
            DateTimeOffset.FromUnixTimeMilliseconds(0x0102030405),
            0x10000,
            4096);
        var bytes = SnapshotStreamFormat.ToBytes(header);
        Assert.Equal(
            "4153484C41525353" + "01000000" + "5E000000" + "00112233445566778899AABBCCDDEEFF" + "11111111222233334444555555555555"
            + "00000000000000000000000000000000" + "0504030201000000" + "0000010000000000" + "00100000" + "0200" + "0000" + "7331",
            Convert.ToHexString(bytes.AsSpan(0, bytes.Length - 4)));
        Assert.Equal(header, SnapshotStreamFormat.ReadHeader(bytes));
    }

    static async Task<Chain> ChainAsync(int chunksOfTarget = 256)
    {
        var source = await TestPool.CreateAsync();
        var target = await TestPool.CreateAsync(chunksOfTarget, TestPool.DefaultOptions(seed: 9));
        var device = await source.CreateVolumeAsync("a", Size);
        var (streams, states) = (new List<byte[]>(), new List<byte[]>());
        for (var step = 1; step <= 3; step++)
        {
            await device.WriteAsync(new Lba(step * 100), new SeededRandom((ulong)step).Bytes(200 * 4096));
            await device.WriteAsync(new Lba(600), new SeededRandom((ulong)step + 10).Bytes(300 * 4096));
            await device.TrimAsync(new Lba(step * 30), 20);
            await source.Pool.TakeSnapshotAsync("a", $"s{step}");
            states.Add(await ReadAsync(source.Pool.OpenVolume("a")!));
            streams.Add(await ExportAsync(source.Pool, $"s{step}", step == 1 ? null : $"s{step - 1}"));
        }

        return new Chain(source, target, streams, states);
    }

    static async Task<byte[]> ExportAsync(StoragePool pool, string snapshot, string? since, string volume = "a")
    {
        var stream = new MemoryStream();
        await pool.ExportSnapshotAsync(volume, snapshot, since, stream);
        return stream.ToArray();
    }

    static async Task<byte[]> ReadAsync(IBlockDevice device)
    {
        var content = new byte[device.Geometry.BlockCount * device.Geometry.BlockSizeBytes];
        await device.ReadAsync(Lba.Zero, content);
        return content;
    }

    /// <summary>Streams s1, s1 to s2, s2 to s3, and the pool that they go to.</summary>
    sealed record Chain(TestPool Source, TestPool Target, IReadOnlyList<byte[]> Streams, IReadOnlyList<byte[]> States) : IAsyncDisposable
    {
        /// <summary>All that an import may leave behind.</summary>
        public async Task<string> StateAsync()
        {
            var parts = Target.Pool.ListNotes("import").Select(note => $"note {note.Owner}")
                .Concat(Target.Pool.ListNotes("import-new").Select(note => $"note {note.Owner}")).ToList();
            foreach (var volume in Target.Pool.ListVolumes())
            {
                var content = await ReadAsync(Target.Pool.OpenVolume(volume.Name)!);
                parts.Add($"{volume.Name} {volume.SizeBytes} {Storage.Crc32C.Compute(content)}");
                parts.AddRange(Target.Pool.ListSnapshots(volume.Name).Select(each => each.Name));
            }

            return string.Join(", ", parts);
        }

        public async ValueTask DisposeAsync()
        {
            await Source.DisposeAsync();
            await Target.DisposeAsync();
        }
    }
}
