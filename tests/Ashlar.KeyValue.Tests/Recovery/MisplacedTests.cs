using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A disk that does something else than it was told: writes go to another place, or nowhere, or twice; files are cut off, zeroed, swapped,
/// or of earlier. What is read is right, or an error.
/// </summary>
public sealed class MisplacedTests(ITestOutputHelper output)
{
    const int Sector = 512;

    enum Kind
    {
        Misdirected = 0,
        StaleSectors,
        StaleFile,
        Duplicated,
        Truncated,
        ZeroFilled,
        SwappedSectors,
        SwappedFiles,
        ForeignFile,
    }

    [Fact]
    public void What_a_disk_puts_elsewhere_is_an_error_or_harmless_and_never_a_wrong_answer()
    {
        var seed = TestSeeds.First(nameof(What_a_disk_puts_elsewhere_is_an_error_or_harmless_and_never_a_wrong_answer));
        var kinds = Enum.GetValues<Kind>();
        var each = TestTier.Choose(60, 1900);
        var refused = new int[kinds.Length];
        var harmless = new int[kinds.Length];
        Parallel.For(0, each, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var history = new History(seed + (ulong)(number % 12));
            foreach (var kind in kinds)
            {
                var random = SeededRandom.For(seed + (ulong)number, $"{kind}");
                var image = history.Copy();
                if (Damage(kind, image, history, random) is not { } what) continue;
                if (IsNoticed(image, history, what)) Interlocked.Increment(ref refused[(int)kind]);
                else Interlocked.Increment(ref harmless[(int)kind]);
            }
        });
        var met = kinds.ToDictionary(kind => $"{kind}", kind => new { refused = refused[(int)kind], harmless = harmless[(int)kind] });
        foreach (var kind in kinds)
            Assert.True(refused[(int)kind] >= each / 12, $"{kind}: only {refused[(int)kind]} of {each} were noticed");
        Assert.True(refused.Sum() + harmless.Sum() >= TestTier.Choose(200, 10_000));
        var cases = refused.Sum() + harmless.Sum();
        output.WriteLine(JsonSerializer.Serialize(new { line = "engine misplaced writes", seed, cases, met, failures = 0 }));
    }

    static bool IsNoticed(StoreImage image, History history, string what)
    {
        try
        {
            var options = RandomHistory.Options(image.ToDisk(), history.Seed) with { CreateIfMissing = false };
            using var store = KeyValueStore.Open(TestStore.Directory, options);
            var found = store.ReadAll();
            Assert.True(found == history.Content, $"seed {history.Seed}, {what}: {found}\ninstead of {history.Content}");
            foreach (var (key, value) in history.Model)
                Assert.True(store.Get(key) == value, $"seed {history.Seed}, {what}: a wrong answer for {key}");
            return !store.Verify().IsClean;
        }
        catch (AshlarException error)
            when (error is CorruptDataException or UnsupportedFormatException or StorageException { Kind: StorageErrorKind.NotFound })
        {
            return true;
        }
    }

    // Says what was done; null if there was nothing to do it to, or it changed nothing.
    static string? Damage(Kind kind, StoreImage image, History history, SeededRandom random)
    {
        var names = image.Files.Keys.Where(name => name != "LOCK" && image.Files[name].Length > 0).ToArray();
        var (name, other) = (random.Pick(names), random.Pick(names));
        var (bytes, source) = (image.Files[name], image.Files[other]);
        var before = (byte[])bytes.Clone();
        var to = random.Next((bytes.Length + Sector - 1) / Sector) * Sector;
        var from = random.Next((source.Length + Sector - 1) / Sector) * Sector;
        switch (kind)
        {
            case Kind.Misdirected:
                Overwrite(bytes, to, source, from);
                break;
            case Kind.StaleSectors when history.Earlier.Files.TryGetValue(name, out var old) && to < old.Length:
                for (var count = random.Next(1, 4); count > 0; count--, to += Sector) Overwrite(bytes, to, old, to);
                break;
            case Kind.StaleFile when history.Earlier.Files.TryGetValue(name, out var old):
                image.Files[name] = old;
                break;
            case Kind.Duplicated when to + Sector <= bytes.Length:
                image.Files[name] = [.. bytes[..(to + Sector)], .. bytes[to..]];
                break;
            case Kind.Truncated:
                image.Files[name] = bytes[..to];
                break;
            case Kind.ZeroFilled:
                bytes.AsSpan(to, Math.Min(bytes.Length - to, Sector * random.Next(1, 9))).Clear();
                break;
            case Kind.SwappedSectors when bytes.Length >= 2 * Sector:
                var second = random.Next(bytes.Length / Sector) * Sector;
                to = Math.Min(to, bytes.Length - Sector);
                var kept = bytes.AsSpan(to, Sector).ToArray();
                Overwrite(bytes, to, (byte[])bytes.Clone(), second);
                kept.CopyTo(bytes, second);
                break;
            case Kind.SwappedFiles:
                (image.Files[name], image.Files[other]) = (source, bytes);
                break;
            case Kind.ForeignFile:
                image.Files[name] = random.Pick(history.Foreign.Files.Values.Where(file => file.Length > 0).ToArray());
                break;
            default:
                return null;
        }

        return before.AsSpan().SequenceEqual(image.Files[name]) ? null : $"{kind}: {name} at {to}, {other} at {from}";
    }

    static void Overwrite(byte[] bytes, int to, byte[] source, int from)
    {
        var length = Math.Min(Sector, Math.Min(bytes.Length - to, source.Length - from));
        if (length > 0) source.AsSpan(from, length).CopyTo(bytes.AsSpan(to));
    }

    /// <summary>A store, what it was some time before, and another one.</summary>
    sealed class History
    {
        readonly StoreImage image;

        public History(ulong seed)
        {
            Seed = seed;
            var disk = TestStore.NewDisk();
            using (var store = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(disk, seed))) RandomHistory.Write(store, seed);
            using (var store = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(disk, seed)))
            {
                RandomHistory.Write(store, seed + 1, steps: 20);
                Earlier = StoreImage.Take(disk);
                RandomHistory.Write(store, seed + 2, steps: 8);
                Content = store.ReadAll();
                foreach (var entry in Content.Split(' '))
                {
                    var split = entry.IndexOf('=', StringComparison.Ordinal);
                    Model[entry[..split]] = entry[(split + 1)..];
                }
            }

            image = StoreImage.Take(disk);
            var other = TestStore.NewDisk();
            using (var store = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(other, seed + 100)))
                RandomHistory.Write(store, seed);
            Foreign = StoreImage.Take(other);
        }

        public ulong Seed { get; }

        public string Content { get; }

        public Dictionary<string, string> Model { get; } = [];

        public StoreImage Earlier { get; }

        public StoreImage Foreign { get; }

        public StoreImage Copy()
        {
            var copy = new StoreImage();
            foreach (var (name, bytes) in image.Files) copy.Files[name] = [.. bytes];
            return copy;
        }
    }
}
