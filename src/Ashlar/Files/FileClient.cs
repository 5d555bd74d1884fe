using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Talks to a server about the files of a customer.</summary>
sealed class FileClient(ApiClient api, string customer) : IDisposable
{
    /// <summary>The whole API.</summary>
    public ApiClient Api => api;

    string Customer => $"/v1/customers/{Uri.EscapeDataString(customer)}";

    public Task<FileEntry> DescribeAsync(FileAddress path, CancellationToken cancellationToken) =>
        api.GetAsync($"{Url(path)}?view=entry", ApiJson.Strict.FileEntry, cancellationToken);

    /// <summary>What a path stands for; null if it is nothing.</summary>
    public async Task<FileEntry?> FindAsync(FileAddress path, CancellationToken cancellationToken)
    {
        try
        {
            return await DescribeAsync(path, cancellationToken);
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.FileNotFound)
        {
            return null;
        }
    }

    /// <summary>Where a file comes to lie that is put somewhere: within what is a directory, else there.</summary>
    public async Task<FileAddress> PlaceAsync(FileAddress target, string name, CancellationToken cancellationToken)
    {
        if (target.IsDirectory) return target.Within(name);
        try
        {
            return await FindAsync(target, cancellationToken) is { } there && FileScreens.IsDirectory(there) ? target.Within(name) : target;
        }
        catch (CommandException e) when (e.ExitCode == ExitCode.PermissionDenied)
        {
            // Who may only write is not told, and means what he says.
            return target;
        }
    }

    /// <summary>Deletes what may be gone already.</summary>
    public async Task DeleteIfThereAsync(FileAddress path, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteAsync(path, cancellationToken);
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.FileNotFound)
        {
            // As good as deleted.
        }
    }

    /// <summary>All that is in a directory, as the pages come.</summary>
    public IAsyncEnumerable<FileEntry> ListAsync(FileAddress path, bool isRecursive, CancellationToken cancellationToken) =>
        api.EnumerateAsync(
            $"{Url(path)}?view=list{(isRecursive ? "&recursive=true" : "")}",
            ApiJson.Strict.FileListing,
            static page => (page.Items, page.Next),
            cancellationToken);

    /// <param name="path">The file that is to be.</param>
    /// <param name="content">Gives its content, anew each time.</param>
    /// <param name="lengthBytes">How long it is; null where that is not known.</param>
    /// <param name="mayReplace">Whether a file of the path is replaced.</param>
    /// <param name="upload">A number by which it is done once, however often it is asked for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<FileEntry> PutAsync(
        FileAddress path, Stream content, long? lengthBytes, bool mayReplace, ulong upload, CancellationToken cancellationToken) =>
        api.PutAsync(
            $"{Url(path)}?upload={upload:x16}{(mayReplace ? "&replace=true" : "")}",
            content,
            lengthBytes,
            ApiJson.Strict.FileEntry,
            cancellationToken);

    /// <summary>Opens a file for reading; dispose of the answer.</summary>
    public Task<HttpResponseMessage> OpenAsync(FileAddress path, long offset, long? length, CancellationToken cancellationToken) =>
        api.OpenAsync($"{Url(path)}?view=content", offset, length, cancellationToken);

    /// <summary>Opens the tables of the customer, a script of SQL; dispose of the answer.</summary>
    public Task<HttpResponseMessage> OpenCatalogueAsync(CancellationToken cancellationToken) =>
        api.OpenAsync($"{Customer}/catalogue", 0, null, cancellationToken);

    public Task<FileEntry> ActAsync(FileAddress path, FileAction action, CancellationToken cancellationToken) =>
        api.PostAsync(Url(path), action, ApiJson.Strict.FileAction, ApiJson.Strict.FileEntry, cancellationToken);

    public Task DeleteAsync(FileAddress path, CancellationToken cancellationToken) => api.DeleteAsync(Url(path), cancellationToken);

    public Task<TaskInfo> VerifyAsync(StartFileVerification request, CancellationToken cancellationToken) => api.PostAsync(
        $"{Customer}/verify", request, ApiJson.Strict.StartFileVerification, ApiJson.Strict.TaskInfo, cancellationToken);

    public Task<TaskInfo> PrewarmAsync(StartPrewarm request, CancellationToken cancellationToken) => api.PostAsync(
        $"{Customer}/prewarm", request, ApiJson.Strict.StartPrewarm, ApiJson.Strict.TaskInfo, cancellationToken);

    public void Dispose() => api.Dispose();

    string Url(FileAddress path) => $"{Customer}/files{path.Encoded}";
}
