using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Reads files into the caches before anybody asks.</summary>
sealed class PrewarmWork(FileStore store, CustomerId customer, FilePath path) : FileWork(store)
{
    public override string Type => "prewarm-files";

    public override async Task RunAsync(TaskContext context)
    {
        var (files, bytes) = (0L, 0L);
        await foreach (var entry in FilesAsync(context.Stop.Token))
        {
            var file = await Store.Metadata.GetFileAsync(customer, entry, cancellationToken: context.Stop.Token);
            var (read, unreadable) = await Prewarming.RunAsync(
                Store.Pieces, customer, file.Blocks, cancellationToken: context.Stop.Token);
            if (unreadable > 0) Find($"{entry}: {Count(unreadable)} cannot be read");
            (files, bytes) = (files + 1, bytes + read);
            Say($"{files} files, {bytes} bytes");
            await PaceAsync(context, read);
        }
    }

    async IAsyncEnumerable<FilePath> FilesAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var entry = await Store.Metadata.StatAsync(customer, path, cancellationToken) ?? throw new PathNotFoundException(path);
        if (entry.Kind == NamespaceEntryKind.File)
        {
            yield return path;
            yield break;
        }

        var request = new ListRequest { Prefix = path.ChildPrefix, IsRecursive = true };
        while (true)
        {
            var page = await Store.Metadata.ListAsync(customer, request, cancellationToken);
            foreach (var each in page.Entries.Where(static each => each.Kind == NamespaceEntryKind.File)) yield return each.Path;
            if (page.Next.IsEmpty) yield break;
            request = request with { After = page.Next };
        }
    }
}
