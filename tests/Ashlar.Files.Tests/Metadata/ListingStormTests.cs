using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>A directory is listed page by page while very many names come and go: what stays is listed exactly once.</summary>
public sealed class ListingStormTests(ITestOutputHelper output)
{
    static readonly int Names = TestTier.Choose(1_500, 1_000_000);
    static readonly int Walks = TestTier.Choose(25, 60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_name_that_stays_is_listed_exactly_once_by_every_walk(bool isRecursive)
    {
        await using var rig = await FileRig.CreateAsync();
        var changes = await RunAsync(rig, rig.Store.ListAsync, isRecursive, Names, Walks);
        Assert.True(changes > Walks, $"only {changes} changes");
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "listing storm",
            isRecursive,
            names = Names,
            walks = Walks,
            changes,
            failures = 0,
        }));
    }

    [Theory]
    [InlineData("a page goes on by how many names were listed")]
    [InlineData("a page begins with the last name of the one before")]
    public async Task A_planted_bug_is_found(string bug)
    {
        await using var rig = await FileRig.CreateAsync();
        var listed = new Dictionary<string, int>(StringComparer.Ordinal);
        var found = await Record.ExceptionAsync(() => RunAsync(rig, ListAsync, isRecursive: false, names: 300, walks: 200));
        Assert.IsType<Xunit.Sdk.TrueException>(found);
        output.WriteLine(found.Message);

        async Task<ListPage> ListAsync(CustomerId customer, ListRequest request, CancellationToken cancellationToken)
        {
            var page = await rig.Store.ListAsync(customer, request with { After = default, Limit = 100_000 }, cancellationToken);
            var at = page.Entries.Count(entry => entry.Path.Bytes.Span.SequenceCompareTo(request.After.Span) <= 0);
            if (bug == "a page begins with the last name of the one before") at = Math.Max(0, at - 1);
            else at = request.After.IsEmpty ? 0 : listed[Encoding.UTF8.GetString(request.After.Span)];
            var entries = page.Entries.Skip(at).Take(request.Limit).ToArray();
            var isLast = at + entries.Length >= page.Entries.Count;
            if (!isLast) listed[Encoding.UTF8.GetString(entries[^1].Path.Bytes.Span)] = at + entries.Length;
            return new(entries, isLast ? default : entries[^1].Path.Bytes);
        }
    }

    /// <summary>Two of three names stay; writers make and delete the others, and some that sort in between.</summary>
    static async Task<int> RunAsync(
        FileRig rig, Func<CustomerId, ListRequest, CancellationToken, Task<ListPage>> list, bool isRecursive, int names, int walks)
    {
        var seed = TestSeeds.First($"{nameof(ListingStormTests)} {isRecursive}");
        var staying = new List<string>();
        var lastNumber = 0L;
        await rig.Store.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/d"));
        for (var i = 0; i < names; i++)
        {
            var path = isRecursive ? $"/d/{i % 7}/{i:d7}" : $"/d/{i:d7}";
            if (i % 3 != 0) staying.Add(path);
            await CreateAsync(path);
        }

        staying.Sort(StringComparer.Ordinal);
        using var end = new CancellationTokenSource();
        var changes = 0;
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"writer {writer}");
            while (!end.IsCancellationRequested)
            {
                var i = random.Next(names / 3) * 3;
                var path = (isRecursive ? $"/d/{i % 7}/{i:d7}" : $"/d/{i:d7}") + (random.OneIn(2) ? "" : $"-{random.Next(9)}");
                try
                {
                    if (random.OneIn(2)) await CreateAsync(path);
                    else await rig.Store.DeleteFileAsync(rig.Customer, FilePath.Parse(path));
                    Interlocked.Increment(ref changes);
                }
                catch (FileStoreException)
                {
                    // It is there, or is not.
                }
            }
        })).ToArray();
        try
        {
            var random = SeededRandom.For(seed, "lister");
            for (var walk = 0; walk < walks; walk++)
            {
                var before = Volatile.Read(ref changes);
                var found = await WalkAsync(random.Next(1, Math.Min(400, names)));
                while (Volatile.Read(ref changes) == before) await Task.Yield(); // None is alone.
                for (var i = 1; i < found.Count; i++)
                    Assert.True(string.CompareOrdinal(found[i - 1], found[i]) < 0, $"seed {seed}, walk {walk}: {found[i - 1]}, {found[i]}");
                var stayed = staying.Except(found).FirstOrDefault();
                Assert.True(stayed is null, $"seed {seed}, walk {walk}: {stayed} is not listed");
            }
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(writers);
        }

        return changes;

        async Task<List<string>> WalkAsync(int limit)
        {
            var found = new List<string>();
            ReadOnlyMemory<byte> after = default;
            do
            {
                var page = await list(
                    rig.Customer,
                    new() { Prefix = FilePath.Parse("/d").ChildPrefix, IsRecursive = isRecursive, After = after, Limit = limit },
                    default);
                found.AddRange(page.Entries
                    .Where(static entry => entry.Kind == NamespaceEntryKind.File)
                    .Select(static entry => entry.Path.ToString()));
                after = page.Next;
            }
            while (!after.IsEmpty);
            return found;
        }

        async Task CreateAsync(string path) => await rig.Store.CommitInlineAsync(
            rig.Customer,
            (ulong)Interlocked.Increment(ref lastNumber),
            new() { Path = FilePath.Parse(path), Tag = "", Inline = new byte[1], CreateParents = true });
    }
}
