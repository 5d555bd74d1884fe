using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Reads files into the caches before anybody asks.</summary>
sealed class PrewarmWork(FileStore store, CustomerId customer, FilePath path) : FileWork(store)
{
    long total = -1;

    public override string Type => "prewarm-files";

    protected override long? Total => Interlocked.Read(ref total) is >= 0 and var bytes ? bytes : null;

    public override async Task RunAsync(TaskContext context)
    {
        var sum = 0L;
        await foreach (var entry in FilesAsync(context.Stop.Token)) sum += entry.SizeBytes;
        Interlocked.Exchange(ref total, sum);
        var files = 0L;
        await foreach (var entry in FilesAsync(context.Stop.Token))
        {
            try
            {
                var file = await Store.Metadata.GetFileAsync(customer, entry.Path, cancellationToken: context.Stop.Token);
                var (_, unreadable) = await Prewarming.RunAsync(
                    Store.Pieces, customer, file.Blocks, cancellationToken: context.Stop.Token);
                if (unreadable > 0) Find($"{entry.Path}: {Count(unreadable)} cannot be read");
                files++;
            }
            catch (Exception gone) when (gone is PathNotFoundException or NotAFileException)
            {
                // Since it was listed: there is nothing to be read.
            }

            Say(files == 1 ? "1 file" : $"{files} files");
            await PaceAsync(context, entry.SizeBytes);
        }
    }

    async IAsyncEnumerable<NamespaceEntry> FilesAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var entry = await Store.Metadata.StatAsync(customer, path, cancellationToken) ?? throw new PathNotFoundException(path);
        if (entry.Kind == NamespaceEntryKind.File)
        {
            yield return entry;
            yield break;
        }

        var request = new ListRequest { Prefix = path.ChildPrefix, IsRecursive = true };
        while (true)
        {
            var page = await Store.Metadata.ListAsync(customer, request, cancellationToken);
            foreach (var each in page.Entries.Where(static each => each.Kind == NamespaceEntryKind.File)) yield return each;
            if (page.Next.IsEmpty) yield break;
            request = request with { After = page.Next };
        }
    }
}
