using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Api;
using Ashlar.Volumes;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>
/// Entity tags (RFC 9110, 8.8.3) of two parts, <c>"SETTINGS.STATE"</c>: of what requests can change, and of all that an answer says, with
/// figures of use. A reader that has seen all of it asks by the whole tag; who changes something cares for the settings, and a volume that
/// is being written must not keep him from it.
/// </summary>
static class EntityTag
{
    const int PartBytes = 9; // 12 characters, none of them a fill.

    /// <summary>The settings of a volume.</summary>
    public static string SettingsOf(VolumeInfo volume)
    {
        var (limits, size) = (volume.Limits, FormattableString.Invariant($"{volume.SizeBytes} {volume.BlockSizeBytes} {volume.IsThick}"));
        var settings = FormattableString.Invariant($"{volume.Id} {volume.Name} {size} {limits.Iops} {limits.BytesPerSecond}");
        return Part(Encoding.UTF8.GetBytes(settings + TextOf(volume.Attributes)));
    }

    // No two that differ have one text: nothing of what people write has control characters.
    static string TextOf(VolumeAttributes attributes)
    {
        if (attributes.IsNone) return "";
        var labels = string.Concat(attributes.Labels.Select(label => $"\n{label.Key}\t{label.Value}"));
        return FormattableString.Invariant($"\n{attributes.Description}\n{attributes.TrashRetention?.Ticks}{labels}");
    }

    /// <summary>The settings of a pool.</summary>
    public static string SettingsOf(Pool pool) =>
        Part(Encoding.UTF8.GetBytes(FormattableString.Invariant(
            $"{pool.Name} {pool.State} {pool.CapacityBytes} {pool.Devices.Count} {pool.SoftThresholdPercent} {pool.HardThresholdPercent} ")
            + FormattableString.Invariant($"{pool.TrashSeconds}")));

    /// <summary>The whole tag of an answer.</summary>
    public static EntityTagHeaderValue Of(string settings, ReadOnlySpan<byte> answer) => new($"\"{settings}.{Part(answer)}\"");

    /// <summary>Whether the reader has the answer already (If-None-Match).</summary>
    public static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(known =>
            known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false));

    /// <summary>Whether a request is only to be carried out under a condition (If-Match).</summary>
    public static bool IsConditional(HttpRequest request) => request.Headers.ContainsKey(HeaderNames.IfMatch);

    /// <summary>Refuses a request whose condition (If-Match) does not hold.</summary>
    /// <exception cref="ApiException">The settings are others than its tag says.</exception>
    public static void Require(HttpRequest request, string settings, string what)
    {
        if (!IsConditional(request)) return;
        if (request.GetTypedHeaders().IfMatch.Any(wanted => wanted.Equals(EntityTagHeaderValue.Any) || IsOf(wanted, settings))) return;
        throw new ApiException(ProblemKind.Changed, $"{what} was changed since, or the tag in If-Match is not one of it")
        {
            Hint = "read it again and decide anew",
        };
    }

    // Weak ones never match here (RFC 9110, 13.1.1).
    static bool IsOf(EntityTagHeaderValue tag, string settings) =>
        !tag.IsWeak
        && tag.Tag.AsSpan().Trim('"') is var text
        && text.IndexOf('.') is > 0 and var dot
        && text[..dot].SequenceEqual(settings);

    static string Part(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return System.Buffers.Text.Base64Url.EncodeToString(hash[..PartBytes]);
    }
}

/// <summary>An answer with its entity tag; without its body where the reader has it already.</summary>
sealed class TaggedAnswer<T>(T value, JsonTypeInfo<T> json, string settings, int status = StatusCodes.Status200OK) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        var body = JsonSerializer.SerializeToUtf8Bytes(value, json);
        var tag = EntityTag.Of(settings, body);
        response.GetTypedHeaders().ETag = tag;
        response.StatusCode = status;
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (isRead && EntityTag.IsKnown(request, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }
}
