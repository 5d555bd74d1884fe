using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Api;

namespace Ashlar.CommandLine;

sealed partial class ApiClient
{
    // What is shorter is sent at once; for more the server says first whether it takes it.
    const long AskFirstBytes = 64 << 10;

    public Task<T> GetAsync<T>(string url, JsonTypeInfo<T> json, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, url, json, null, cancellationToken);

    public Task<TAnswer> PostAsync<TRequest, TAnswer>(
        string url, TRequest request, JsonTypeInfo<TRequest> requestJson, JsonTypeInfo<TAnswer> json,
        CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, url, json, Body(request, requestJson), cancellationToken);

    public Task<TAnswer> PostAsync<TAnswer>(string url, JsonTypeInfo<TAnswer> json, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, url, json, null, cancellationToken);

    public Task<TAnswer> PatchAsync<TRequest, TAnswer>(
        string url, TRequest request, JsonTypeInfo<TRequest> requestJson, JsonTypeInfo<TAnswer> json,
        CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, url, json, Body(request, requestJson), cancellationToken);

    public async Task DeleteAsync(string url, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Delete, url, null, null, cancellationToken);
    }

    /// <summary>A list, page by page, as it is asked for.</summary>
    public async IAsyncEnumerable<TItem> EnumerateAsync<TPage, TItem>(
        string first, JsonTypeInfo<TPage> json, Func<TPage, (IReadOnlyList<TItem> Items, string? Next)> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = "";
        for (var url = first; url is not null;)
        {
            if (!url.StartsWith(ApiRoot, StringComparison.Ordinal) || url == last)
                throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, $"{Address} gives a list without a valid next page");
            last = url;
            (var items, url) = read(await SendAsync(HttpMethod.Get, url, json, null, cancellationToken));
            foreach (var item in items) yield return item;
        }
    }

    /// <summary>All of a list.</summary>
    public async Task<List<TItem>> ListAllAsync<TPage, TItem>(
        string first, JsonTypeInfo<TPage> json, Func<TPage, (IReadOnlyList<TItem> Items, string? Next)> read,
        CancellationToken cancellationToken) => await ListAsync(first, json, read, cancellationToken);

    /// <summary>Sends a stream as it is read.</summary>
    public async Task<T> PutAsync<T>(
        string url, Stream content, long? lengthBytes, JsonTypeInfo<T> json, CancellationToken cancellationToken)
    {
        using var body = new StreamContent(content, bufferSize: 256 << 10);
        body.Headers.ContentLength = lengthBytes;
        return await SendAsync(HttpMethod.Put, url, json, body, cancellationToken);
    }

    /// <summary>Opens a content, or a range of it, for reading as slowly as one likes.</summary>
    public Task<HttpResponseMessage> OpenAsync(string url, long offset, long? length, CancellationToken cancellationToken)
    {
        RangeHeaderValue? range = offset > 0 || length is not null ? new(offset, length is { } most ? offset + most - 1 : null) : null;
        return SendAsync(HttpMethod.Get, url, null, null, cancellationToken, isStream: true, range);
    }
}
