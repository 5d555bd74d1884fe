using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;

namespace Ashlar.Blocks.Bench;

/// <summary>
/// What redundancy costs: whole stripes to sets with parity, beside copying the same bytes in memory and beside a set without redundancy.
/// </summary>
static class RaidRows
{
    const int StripeBytes = 8 * 64 * 1024, Mebibyte = 1 << 20;

    public static async Task RunAsync(string directory)
    {
        await CompareParityAsync();
        foreach (var level in (RaidLevel[])[RaidLevel.Raid5, RaidLevel.Raid6]) await CompareWritesAsync(level, directory);
    }

    static async Task CompareParityAsync()
    {
        IBlockDevice[] disks = [.. Enumerable.Range(0, 10).Select(i => new MemoryDevice(8192, 4096, $"memory{i}"))];
        await using var set = await RaidArray.CreateAsync(disks, new RaidCreateOptions { Level = RaidLevel.Raid6 });
        var source = new byte[StripeBytes];
        Random.Shared.NextBytes(source);
        var stripes = set.Geometry.SizeBytes / StripeBytes;
        for (var stripe = 0; stripe < stripes; stripe++) await set.WriteAsync(LbaOf(stripe), source); // Takes the memory.
        var target = new byte[stripes * StripeBytes * 10 / 8];
        Random.Shared.NextBytes(target);
        List<double> ours = [], theirs = [];
        for (var round = 0; round < Measuring.Rounds; round++)
        {
            ours.Add(await Measuring.RateAsync(isProcessorTime: true, stripes * StripeBytes / Mebibyte, async () =>
            {
                for (var stripe = 0; stripe < stripes; stripe++) await set.WriteAsync(LbaOf(stripe), source);
            }));
            // All that the set writes, parity included, is copied: 10 chunks for 8.
            theirs.Add(await Measuring.RateAsync(isProcessorTime: true, stripes * StripeBytes / Mebibyte, () =>
            {
                for (var at = 0; at < target.Length; at += StripeBytes)
                    source.AsSpan(0, Math.Min(StripeBytes, target.Length - at)).CopyTo(target.AsSpan(at));

                return Task.CompletedTask;
            }));
        }

        Measuring.Print("RAID-6 whole stripes of 8 + 2 in memory, against memcpy, MiB in a second of a processor", ours, theirs);

        Lba LbaOf(long stripe) => new(stripe * StripeBytes / 4096);
    }

    static async Task CompareWritesAsync(RaidLevel level, string directory)
    {
        const long Bytes = 192L << 20;
        List<double> ours = [], theirs = [];
        for (var round = 0; round < Measuring.Rounds; round++)
        {
            ours.Add(await WriteAsync(level));
            theirs.Add(await WriteAsync(RaidLevel.Raid0));
        }

        Measuring.Print($"RAID-{(int)level} sequential write over 4 files with a flush at the end, against RAID-0, MiB/s", ours, theirs);

        async Task<double> WriteAsync(RaidLevel of)
        {
            var paths = Enumerable.Range(0, 4).Select(i => Path.Combine(directory, $"member{i}")).ToList();
            try
            {
                IBlockDevice[] files = [.. paths.Select(path => FileDevice.Create(FileSystems.Real, path, 128 << 20))];
                await using var set = await RaidArray.CreateAsync(files, new RaidCreateOptions { Level = of });
                var request = new byte[12 * 64 * 1024]; // Whole stripes of all of them.
                Random.Shared.NextBytes(request);
                return await Measuring.RateAsync(isProcessorTime: false, Bytes / Mebibyte, async () =>
                {
                    for (var at = 0L; at + request.Length <= Bytes; at += request.Length) await set.WriteAsync(new Lba(at / 4096), request);
                    await set.FlushAsync();
                });
            }
            finally
            {
                foreach (var path in paths) File.Delete(path);
            }
        }
    }
}
