using System.Diagnostics;
using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.Files.Bench;

/// <summary>Very many small files in one directory: made durably by many at a time, listed, listed by directories, and deleted.</summary>
sealed class NameRows(string directory, int files)
{
    const int Writers = 16, FileBytes = 1024, Page = 1000, Deleted = 20_000;

    readonly byte[] content = new byte[FileBytes];
    EmbeddedMetadataStore store = null!;
    CustomerId customer;

    public async Task RunAsync()
    {
        await using (store = EmbeddedMetadataStore.Open(directory, KeyValueOptions.Default))
        {
            customer = (await store.CreateCustomerAsync("bench", Quota.None)).Id;
            await store.CreateDirectoryAsync(customer, FilePath.Parse("/b"));
            // The first tenth, all, and what the last tenth costs when the others are there.
            var tenth = files / 10;
            Print("files of 1 KiB made in a second, 16 at a time, durable: a tenth", tenth, await TimeAsync(() => MakeAsync(0, tenth)));
            await MakeAsync(tenth, files - tenth);
            Print("the last tenth", tenth, await TimeAsync(() => MakeAsync(files - tenth, files)));
            var listed = 0;
            Print("entries listed in a second, pages of 1,000", files, await TimeAsync(async () => listed = await ListAsync()));
            if (listed != files) throw new InvalidOperationException($"{listed} of {files} are listed");
            var begun = Stopwatch.GetTimestamp();
            await store.ListAsync(customer, new() { Prefix = "b/d/"u8.ToArray(), Limit = Page });
            Print("microseconds of a first page", Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
            begun = Stopwatch.GetTimestamp();
            await store.ListAsync(customer, new() { Prefix = "b/"u8.ToArray(), Limit = Page });
            Print("microseconds of a listing by directories above all of it", Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
            Print("files deleted in a second, in the order of names", Deleted, await TimeAsync(() => DeleteAsync(0, Deleted)));
        }

        var bytes = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Print("bytes of the disk a file of 1 KiB", bytes / (double)files);
    }

    Task MakeAsync(int from, int to) => EachAsync(from, to, number => store.CommitInlineAsync(
        customer, (ulong)number + 1, new() { Path = PathOf(number), Tag = "tag", Inline = content, CreateParents = true }));

    Task DeleteAsync(int from, int to) => EachAsync(from, to, number => store.DeleteFileAsync(customer, PathOf(number)));

    static Task EachAsync(int from, int to, Func<int, Task> act)
    {
        var next = from - 1;
        return Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < to) await act(number);
        })));
    }

    async Task<int> ListAsync()
    {
        var count = 0;
        var request = new ListRequest { Prefix = "b/d/"u8.ToArray(), Limit = Page };
        while (true)
        {
            var page = await store.ListAsync(customer, request);
            count += page.Entries.Count;
            if (page.Next.IsEmpty) return count;
            request = request with { After = page.Next };
        }
    }

    static FilePath PathOf(int number) => FilePath.Parse(string.Create(CultureInfo.InvariantCulture, $"/b/d/{number:x8}"));

    static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var begun = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(begun);
    }

    static void Print(string name, int count, TimeSpan taken) => Print(name, count / taken.TotalSeconds);

    static void Print(string name, double value) => Console.WriteLine(FormattableString.Invariant($"{name}\t{value:F0}"));
}
