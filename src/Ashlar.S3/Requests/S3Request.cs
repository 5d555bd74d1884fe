using System.Text;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>A request that has been read as far as its headers, with what was proved of it.</summary>
sealed class S3Request(HttpContext http, RequestTarget target, string? bucket, string key)
{
    /// <summary>Longest key, as FilePath has it without the bucket.</summary>
    public const int MaxKeyBytes = 1024;

    // Headers that stand in the query.
    readonly IReadOnlyDictionary<string, string> hoisted = HoistedHeaders.Of(target, http.Request.Headers);

    public HttpContext Http { get; } = http;

    public RequestTarget Target { get; } = target;

    /// <summary>The bucket; null at the level of the service.</summary>
    public string? Bucket { get; } = bucket;

    /// <summary>The key; empty at the level of a bucket.</summary>
    public string Key { get; } = key;

    /// <summary>Whether the bucket stands in the host, and not in the path.</summary>
    public bool IsBucketInHost { get; init; }

    public Route Route { get; set; } = Route.Unknown;

    /// <summary>Who asks. Nobody, until it is proved.</summary>
    public Caller Caller { get => field ?? throw new InvalidOperationException("Nobody has proved who asks."); set; }

    /// <summary>How the body is to be read, as the signature says.</summary>
    public Payload Payload { get; set; } = Payload.Unsigned;

    /// <summary>What its body may take.</summary>
    public BodyLimits? Limits { get; set; }

    /// <summary>When it began, by the clock of the limits.</summary>
    public long BegunAt { get; set; }

    /// <summary>Asks again for the right of the caller; null where nobody showed a key.</summary>
    public Func<Task>? Confirm { get; set; }

    public CustomerId Customer => Caller.Customer;

    public string RequestId => (string)Http.Items[nameof(RequestId)]!;

    public CancellationToken Cancelled => Http.RequestAborted;

    public HttpResponse Response => Http.Response;

    public FilePath BucketPath => PathOf(Bucket!);

    /// <summary>The object, or the directory whose name ends in a slash.</summary>
    /// <exception cref="S3Exception">The store has no such names.</exception>
    public FilePath ObjectPath => PathOf(Bucket!, Key);

    /// <summary>What is kept with the bucket, as of the beginning of the request.</summary>
    public FileProperties BucketProperties { get; set; } = FileProperties.Empty;

    /// <summary>Whether the key is that of a directory.</summary>
    public bool IsDirectoryKey => Key.EndsWith('/');

    /// <summary>All headers, with those that the signer of the request put into its query.</summary>
    public IReadOnlyDictionary<string, string> Headers => field ??= Http.Request.Headers
        .Select(header => KeyValuePair.Create(header.Key, header.Value.ToString()))
        .Concat(hoisted)
        .ToDictionary(StringComparer.OrdinalIgnoreCase);

    public string? Header(string name) => Http.Request.Headers.TryGetValue(name, out var values) && values.Count > 0
        ? values.ToString()
        : hoisted.GetValueOrDefault(name);

    public string? Query(string name) => Target.Find(name);

    /// <summary>Where an object of the bucket is found.</summary>
    public string UrlOf(string key)
    {
        var path = IsBucketInHost ? key : $"{Bucket}/{key}";
        return $"{Http.Request.Scheme}://{Http.Request.Host.Value}/{UriText.Encode(path, keepsSlash: true)}";
    }

    /// <summary>
    /// Asks for the right again, if the body took so long that it may have been taken away. Before anything becomes visible.
    /// </summary>
    /// <exception cref="S3Exception">It has been.</exception>
    public Task ConfirmAsync()
    {
        if (Confirm is null || Limits is null) return Task.CompletedTask;
        return Limits.Clock.GetElapsedTime(BegunAt) < BodyLimits.ConfirmAfter ? Task.CompletedTask : Confirm();
    }

    /// <exception cref="S3Exception">The body has taken longer than it may.</exception>
    public void RequireInTime()
    {
        if (Limits is not null && Limits.Clock.GetElapsedTime(BegunAt) > Limits.Longest) throw BodyLimits.TooSlow();
    }

    public static FilePath PathOf(string bucket, string key = "")
    {
        if (Encoding.UTF8.GetByteCount(key) > MaxKeyBytes)
            throw S3Error.KeyTooLong.Because($"A key has at most {MaxKeyBytes} bytes.");
        var path = $"/{bucket}" + (key.Length == 0 ? "" : $"/{(key.EndsWith('/') ? key[..^1] : key)}");
        try
        {
            return FilePath.Parse(path);
        }
        catch (InvalidPathException invalid) when (Encoding.UTF8.GetByteCount(path) > FilePath.MaxBytes)
        {
            throw S3Error.KeyTooLong.Because(invalid.Message + " (the name of the bucket counts).");
        }
        catch (InvalidPathException invalid) when (invalid.IsOtherForm)
        {
            throw new S3Exception(S3Error.InvalidArgument, $"{invalid.Message}.", invalid);
        }
        catch (InvalidPathException invalid)
        {
            throw S3Error.InvalidArgument.Because(
                $"{invalid.Message}. Keys are paths: no component is empty, '.', '..' or longer than {FilePath.MaxComponentBytes} bytes.");
        }
    }
}
