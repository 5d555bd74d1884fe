using System.Diagnostics;
using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.Files.Bench;

/// <summary>
/// Very many small files in one directory: made durably by many at a time, listed, read and deleted, when there are few and when all of
/// them are there.
/// </summary>
sealed class NameRows(string directory, int files)
{
    const int Writers = 16, FileBytes = 1024, Page = 1000, MostFew = 100_000;

    readonly byte[] content = new byte[FileBytes];
    EmbeddedMetadataStore store = null!;
    CustomerId customer;
    int made;
    ulong ids;

    public async Task RunAsync()
    {
        await using (store = EmbeddedMetadataStore.Open(directory, KeyValueOptions.Default))
        {
            customer = (await store.CreateCustomerAsync("bench", Quota.None)).Id;
            await store.CreateDirectoryAsync(customer, FilePath.Parse("/b"));
            // What is compiled while it runs first is not measured.
            var few = Math.Min(MostFew, files / 2);
            await MeasureAsync(few / 5);
            var before = await MeasureAsync(few * 4 / 5);
            await MakeAsync(files - few - made);
            var after = await MeasureAsync(few);
            Console.WriteLine(FormattableString.Invariant($"work\twith {few}\twith {files}\tratio"));
            Compare("files of 1 KiB made in a second, 16 at a time, durable", before.Made, after.Made);
            Compare("entries listed in a second, pages of 1,000", before.Listed, after.Listed);
            Compare("files read in a second, 16 at a time", before.Read, after.Read);
            Compare("files deleted in a second, in the order of names", before.Deleted, after.Deleted);
            var begun = Stopwatch.GetTimestamp();
            await store.ListAsync(customer, new() { Prefix = "b/d/"u8.ToArray(), Limit = Page });
            Print("microseconds of a first page", Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
            begun = Stopwatch.GetTimestamp();
            await store.ListAsync(customer, new() { Prefix = "b/"u8.ToArray(), Limit = Page });
            Print("microseconds of a listing by directories above all of it", Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
        }

        var bytes = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Print("bytes of the disk a file of 1 KiB", bytes / (double)files);
    }

    // Adds so many, and does with all that are there then what is done with them.
    async Task<Rates> MeasureAsync(int count)
    {
        var making = await TimeAsync(() => MakeAsync(count));
        var listing = await TimeAsync(ListAsync);
        var random = new Random(made);
        var reading = await TimeAsync(() => EachAsync(0, count, _ =>
        {
            int number;
            lock (random) number = random.Next(made);
            return store.GetFileAsync(customer, PathOf(number));
        }));
        var deleted = count / 5;
        var deleting = await TimeAsync(() => EachAsync(0, deleted, number => store.DeleteFileAsync(customer, PathOf(number))));
        await EachAsync(0, deleted, CommitAsync);
        return new(count / making, made / listing, count / reading, deleted / deleting);
    }

    async Task MakeAsync(int count)
    {
        await EachAsync(made, made + count, CommitAsync);
        made += count;
    }

    Task CommitAsync(int number) => store.CommitInlineAsync(
        customer, Interlocked.Increment(ref ids), new() { Path = PathOf(number), Tag = "tag", Inline = content, CreateParents = true });

    static Task EachAsync(int from, int to, Func<int, Task> act)
    {
        var next = from - 1;
        return Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < to) await act(number);
        })));
    }

    async Task ListAsync()
    {
        var count = 0;
        var request = new ListRequest { Prefix = "b/d/"u8.ToArray(), Limit = Page };
        while (true)
        {
            var page = await store.ListAsync(customer, request);
            count += page.Entries.Count;
            if (page.Next.IsEmpty) break;
            request = request with { After = page.Next };
        }

        if (count != made) throw new InvalidOperationException($"{count} of {made} are listed");
    }

    static FilePath PathOf(int number) => FilePath.Parse(string.Create(CultureInfo.InvariantCulture, $"/b/d/{number:x8}"));

    static async Task<double> TimeAsync(Func<Task> work)
    {
        var begun = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    static void Compare(string name, double before, double after) =>
        Console.WriteLine(FormattableString.Invariant($"{name}\t{before:F0}\t{after:F0}\t{after / before:F2}"));

    static void Print(string name, double value) => Console.WriteLine(FormattableString.Invariant($"{name}\t{value:F0}"));

    readonly record struct Rates(double Made, double Listed, double Read, double Deleted);
}
