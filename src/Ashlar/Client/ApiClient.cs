using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Talks to a server over its REST API. What the server refuses comes as a <see cref="CommandException"/>.</summary>
sealed partial class ApiClient : IDisposable
{
    const string ApiRoot = "/v1/";
    const string StatusUrl = $"{ApiRoot}status";

    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    readonly HttpClient http;
    readonly LocatedServer server;
    readonly AuthenticationHeaderValue? credentials;
    readonly CommandLines lines;
    readonly TimeProvider time;
    bool isKnown;

    ApiClient(LocatedServer server, Invocation invocation, AuthenticationHeaderValue? credentials)
    {
        this.server = server;
        this.credentials = credentials;
        lines = invocation.CommandLines;
        time = invocation.Terminal.TimeProvider;
        // No proxy: the server is on this machine, or was named.
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectCallback = ServerConnection.ConnectAsync,
        };
        http = new HttpClient(handler) { BaseAddress = server.Address, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>A client of the server that the command line means.</summary>
    public static ApiClient For(Invocation invocation) => new(ServerLocator.Find(invocation), invocation, null);

    /// <summary>A client that shows a key.</summary>
    public static ApiClient For(Invocation invocation, LocatedServer server, AuthenticationHeaderValue credentials) =>
        new(server, invocation, credentials);

    public Task<Status> GetStatusAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, StatusUrl, ApiJson.Strict.Status, null, cancellationToken);

    /// <summary>All pools, however many pages the server makes of them.</summary>
    public async Task<PoolList> ListPoolsAsync(CancellationToken cancellationToken) => new()
    {
        Items = await ListAsync("/v1/pools", ApiJson.Strict.PoolList, page => (page.Items, page.Next), cancellationToken),
    };

    public Task<Pool> GetPoolAsync(string pool, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, PoolUrl(pool), ApiJson.Strict.Pool, null, cancellationToken);

    public Task<Pool> ChangePoolAsync(string pool, ChangePool request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, PoolUrl(pool), ApiJson.Strict.Pool, Body(request, ApiJson.Strict.ChangePool), cancellationToken);

    public Task<Pool> CreatePoolAsync(CreatePool request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "/v1/pools", ApiJson.Strict.Pool, Body(request, ApiJson.Strict.CreatePool), cancellationToken);

    /// <param name="pool">The pool.</param>
    /// <param name="force">Whether it goes also with volumes and clients, or where it is not open.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task DeletePoolAsync(string pool, bool force, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Delete, Forced(PoolUrl(pool), force), null, null, cancellationToken);
    }

    public Task<Pool> AddPoolDeviceAsync(string pool, AddPoolDevice request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{PoolUrl(pool)}/devices", ApiJson.Strict.Pool, Body(request, ApiJson.Strict.AddPoolDevice), cancellationToken);

    public Task<Pool> ReplacePoolDeviceAsync(string pool, ReplacePoolDevice request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post,
        $"{PoolUrl(pool)}/devices/replace",
        ApiJson.Strict.Pool,
        Body(request, ApiJson.Strict.ReplacePoolDevice),
        cancellationToken);

    public Task<TaskInfo> RemovePoolDeviceAsync(string pool, RemovePoolDevice request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post,
        $"{PoolUrl(pool)}/device-removals",
        ApiJson.Strict.TaskInfo,
        Body(request, ApiJson.Strict.RemovePoolDevice),
        cancellationToken);

    public Task<Pool> ExportPoolAsync(string pool, bool force, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, Forced($"{PoolUrl(pool)}/export", force), ApiJson.Strict.Pool, null, cancellationToken);

    public Task<Pool> ImportPoolAsync(ImportPool request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "/v1/pool-imports", ApiJson.Strict.Pool, Body(request, ApiJson.Strict.ImportPool), cancellationToken);

    public Task<TaskInfo> VerifyPoolAsync(string pool, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{PoolUrl(pool)}/verify", ApiJson.Strict.TaskInfo, null, cancellationToken);

    public Task<TaskInfo> ScrubPoolAsync(string pool, StartScrub request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{PoolUrl(pool)}/scrub", ApiJson.Strict.TaskInfo, Body(request, ApiJson.Strict.StartScrub), cancellationToken);

    public Task<TaskList> ListTasksAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, "/v1/tasks", ApiJson.Strict.TaskList, null, cancellationToken);

    public Task<TaskInfo> GetTaskAsync(string task, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, TaskUrl(task), ApiJson.Strict.TaskInfo, null, cancellationToken);

    public Task<TaskInfo> ChangeTaskAsync(string task, ChangeTask request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, TaskUrl(task), ApiJson.Strict.TaskInfo, Body(request, ApiJson.Strict.ChangeTask), cancellationToken);

    public async Task CancelTaskAsync(string task, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Delete, TaskUrl(task), null, null, cancellationToken);
    }

    /// <summary>All volumes of a pool, however many pages the server makes of them.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="labels">Labels that they must have; null: whatever they have.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<VolumeList> ListVolumesAsync(string pool, string? labels, CancellationToken cancellationToken) => new()
    {
        Items = await ListAsync(
            $"{PoolUrl(pool)}/volumes{(labels is null ? "" : $"?label={Uri.EscapeDataString(labels)}")}",
            ApiJson.Strict.VolumeList,
            page => (page.Items, page.Next),
            cancellationToken),
    };

    public async Task<Volume> GetVolumeAsync(VolumePath path, CancellationToken cancellationToken) =>
        (await ReadVolumeAsync(path, cancellationToken)).Volume;

    /// <summary>A volume, and the tag by which a change is refused if it is not as it was read any more.</summary>
    public Task<(Volume Volume, string? Tag)> ReadVolumeAsync(VolumePath path, CancellationToken cancellationToken) =>
        SendTaggedAsync(HttpMethod.Get, VolumeUrl(path), ApiJson.Strict.Volume, null, null, cancellationToken);

    public Task<Volume> CreateVolumeAsync(string pool, CreateVolume request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post, $"{PoolUrl(pool)}/volumes", ApiJson.Strict.Volume, Body(request, ApiJson.Strict.CreateVolume),
            cancellationToken);

    /// <param name="path">The volume.</param>
    /// <param name="request">What is to change.</param>
    /// <param name="tag">Of the volume as it was read; null: whatever it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<Volume> ChangeVolumeAsync(
        VolumePath path, ChangeVolume request, string? tag, CancellationToken cancellationToken) =>
        (await SendTaggedAsync(
            HttpMethod.Patch, VolumeUrl(path), ApiJson.Strict.Volume, Body(request, ApiJson.Strict.ChangeVolume), tag,
            cancellationToken)).Value;

    /// <param name="path">The volume.</param>
    /// <param name="force">Whether it goes also while clients are connected.</param>
    /// <param name="isNow">Whether it goes for good, rather than to the trash.</param>
    /// <param name="withSnapshots">Whether its snapshots go with it.</param>
    /// <param name="tag">Of the volume as it was read; null: whatever it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it is in the trash.</returns>
    public async Task<bool> DeleteVolumeAsync(
        VolumePath path, bool force, bool isNow, bool withSnapshots, string? tag, CancellationToken cancellationToken)
    {
        (string Name, bool IsSet)[] flags = [("force", force), ("now", isNow), ("snapshots", withSnapshots)];
        var query = string.Join('&', flags.Where(flag => flag.IsSet).Select(flag => $"{flag.Name}=true"));
        var url = query.Length == 0 ? VolumeUrl(path) : $"{VolumeUrl(path)}?{query}";
        using var response = await SendAsync(HttpMethod.Delete, url, null, tag, cancellationToken);
        return response.Headers.Location is not null;
    }

    /// <summary>The trash of a pool, however many pages the server makes of it.</summary>
    public async Task<TrashList> ListTrashAsync(string pool, CancellationToken cancellationToken) => new()
    {
        Items = await ListAsync($"{PoolUrl(pool)}/trash", ApiJson.Strict.TrashList, page => (page.Items, page.Next), cancellationToken),
    };

    public Task<Volume> RestoreVolumeAsync(string pool, Guid id, RestoreVolume request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{PoolUrl(pool)}/trash/{id}/restore", ApiJson.Strict.Volume, Body(request, ApiJson.Strict.RestoreVolume),
        cancellationToken);

    public async Task PurgeVolumeAsync(string pool, Guid id, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"{PoolUrl(pool)}/trash/{id}", null, null, cancellationToken);
    }

    public Task<VolumeFragmentation> GetFragmentationAsync(VolumePath path, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Get, $"{VolumeUrl(path)}/fragmentation", ApiJson.Strict.VolumeFragmentation, null, cancellationToken);

    public Task<TaskInfo> DefragmentAsync(VolumePath path, StartDefragmentation request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post,
        $"{VolumeUrl(path)}/defragment",
        ApiJson.Strict.TaskInfo,
        Body(request, ApiJson.Strict.StartDefragmentation),
        cancellationToken);

    public Task<VolumeMap> GetVolumeMapAsync(VolumePath path, int regions, string? since, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Get,
        $"{VolumeUrl(path)}/map?regions={regions}{(since is null ? "" : $"&since={Uri.EscapeDataString(since)}")}",
        ApiJson.Strict.VolumeMap,
        null,
        cancellationToken);

    /// <summary>The catalogue, an entry after the other, as it comes: it may be longer than memory.</summary>
    public async IAsyncEnumerable<CatalogueEntry> ReadCatalogueAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, "/v1/catalogue", null, null, cancellationToken, isStream: true);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var line in JsonLines.ReadAsync(stream, cancellationToken))
        {
            CatalogueEntry? entry;
            try
            {
                entry = JsonSerializer.Deserialize(line.Span, ApiJson.Strict.CatalogueEntry);
            }
            catch (JsonException)
            {
                throw NotAshlar(response.StatusCode);
            }
            yield return entry ?? throw NotAshlar(response.StatusCode);
        }
    }

    public void Dispose() => http.Dispose();

    static string PoolUrl(string pool) => $"/v1/pools/{Uri.EscapeDataString(pool)}";

    static string TaskUrl(string task) => $"/v1/tasks/{Uri.EscapeDataString(task)}";

    static string Forced(string url, bool force) => force ? $"{url}?force=true" : url;

    static string VolumeUrl(VolumePath path) => $"{PoolUrl(path.Pool)}/volumes/{Uri.EscapeDataString(path.Volume)}";

    static ByteArrayContent Body<T>(T value, JsonTypeInfo<T> json)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, json));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    // What comes next is taken from the answer, and yet goes to this server only, and to an end.
    async Task<List<TItem>> ListAsync<TPage, TItem>(
        string first, JsonTypeInfo<TPage> json, Func<TPage, (IReadOnlyList<TItem> Items, string? Next)> read,
        CancellationToken cancellationToken)
    {
        var all = new List<TItem>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var url = first; url is not null;)
        {
            if (!url.StartsWith(ApiRoot, StringComparison.Ordinal) || !seen.Add(url))
                throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, $"{Address} gives a list without a valid next page");
            var page = await SendAsync(HttpMethod.Get, url, json, null, cancellationToken);
            (var items, url) = read(page);
            all.AddRange(items);
        }
        return all;
    }

    async Task<T> SendAsync<T>(
        HttpMethod method, string url, JsonTypeInfo<T> json, HttpContent? body, CancellationToken cancellationToken) =>
        (await SendTaggedAsync(method, url, json, body, null, cancellationToken)).Value;

    async Task<(T Value, string? Tag)> SendTaggedAsync<T>(
        HttpMethod method, string url, JsonTypeInfo<T> json, HttpContent? body, string? ifMatch, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, url, body, ifMatch, cancellationToken);
        return (await ReadAsync(response, json, cancellationToken), response.Headers.ETag?.ToString());
    }

    async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> json, CancellationToken cancellationToken)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(bytes, json) ?? throw NotAshlar(response.StatusCode);
        }
        catch (JsonException)
        {
            throw NotAshlar(response.StatusCode);
        }
    }

    async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string url, HttpContent? body, string? ifMatch, CancellationToken cancellationToken, bool isStream = false,
        RangeHeaderValue? range = null)
    {
        // Who asks for a key would not take that of another server.
        if (server.Announced is { } announced && (!isKnown || (method != HttpMethod.Get && credentials is null)))
        {
            await RequireAsync(announced, cancellationToken);
            isKnown = true;
        }
        return await SendToAnybodyAsync(method, url, body, ifMatch, cancellationToken, isStream, range);
    }

    async Task RequireAsync(AnnouncedServer announced, CancellationToken cancellationToken)
    {
        using var response = await SendToAnybodyAsync(HttpMethod.Get, StatusUrl, null, null, cancellationToken);
        var status = await ReadAsync(response, ApiJson.Strict.Status, cancellationToken);
        if (announced.Is(status)) return;
        throw Unreachable(
            $"the server at {Address} is not the one of {announced.DataDirectory}: it is process {status.ProcessId}, "
            + $"which serves {status.DataDirectory}");
    }

    async Task<HttpResponseMessage> SendToAnybodyAsync(
        HttpMethod method, string url, HttpContent? body, string? ifMatch, CancellationToken cancellationToken, bool isStream = false,
        RangeHeaderValue? range = null)
    {
        try
        {
            using var request = new HttpRequestMessage(method, url) { Content = body };
            if (url != StatusUrl) request.Headers.Authorization = credentials; // Not before it is known who answers.
            request.Headers.Range = range;
            if (method == HttpMethod.Put) request.Headers.ExpectContinue = body?.Headers.ContentLength is not <= AskFirstBytes;
            if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            // Only what is a look at things has a time limit. A change may have to take or give back all of a large volume's space,
            // and goes on whether anybody waits or not; its end is worth waiting for as long as the server lives.
            using var limit = new CancellationTokenSource(method == HttpMethod.Get ? AnswerTimeout : Timeout.InfiniteTimeSpan, time);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            var completion = isStream ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead;
            var response = await http.SendAsync(request, completion, deadline.Token);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw await RefusalAsync(response, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                ? $"no server answers at {Address}"
                : $"no answer from {Address}: {e.InnerException?.Message ?? e.Message}");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Unreachable,
                ProblemTypes.Unavailable,
                $"no answer from {Address} in time",
                "it may be busy, or held up: its log may say why");
        }
    }

    string Address => server.Address.GetLeftPart(UriPartial.Authority);

    CommandException Unreachable(string message) => new(ExitCode.Unreachable, ProblemTypes.Unavailable, message, server.Hint);

    CommandException NotAshlar(HttpStatusCode status) =>
        new(ExitCode.Failed, ProblemTypes.Failed, $"{Address} does not answer like an Ashlar server (HTTP status {(int)status})");

    async Task<CommandException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (JsonSerializer.Deserialize(bytes, ApiJson.Strict.Problem) is { } problem) return Refusals.Describe(problem, lines);
        }
        catch (JsonException)
        {
            // Somebody else's server, or a proxy between.
        }
        return NotAshlar(response.StatusCode);
    }
}
