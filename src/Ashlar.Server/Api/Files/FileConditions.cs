using Ashlar.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>Conditions of requests for files (RFC 9110, 13): entity tags here are those of contents, and strong.</summary>
static class FileConditions
{
    public static EntityTagHeaderValue TagOf(NamespaceEntry entry) => new($"\"{entry.Tag}\"");

    /// <summary>When a file got its content, to the second, as headers say it.</summary>
    public static DateTimeOffset ModifiedAt(NamespaceEntry entry) =>
        DateTimeOffset.FromUnixTimeSeconds(entry.UpdatedAt.ToUnixTimeSeconds());

    /// <summary>What a file that is put depends on: without a condition the name must be free.</summary>
    /// <exception cref="ApiException">The condition is none that is taken here.</exception>
    public static CommitCondition OfPut(HttpRequest request, bool mayReplace)
    {
        var headers = request.GetTypedHeaders();
        if (request.Headers.ContainsKey(HeaderNames.IfNoneMatch))
        {
            if (headers.IfNoneMatch is not [var none] || !none.Equals(EntityTagHeaderValue.Any))
                throw new ApiException(ProblemKind.InvalidRequest, "If-None-Match is '*' here: the name must be free");
            if (mayReplace || request.Headers.ContainsKey(HeaderNames.IfMatch))
                throw new ApiException(ProblemKind.InvalidRequest, "'replace' and If-Match are the opposite of If-None-Match");
            return CommitCondition.MustNotExist;
        }

        if (TagToMatch(request) is { } tag) return CommitCondition.ReplaceIf(tag);
        return mayReplace ? CommitCondition.Replace : CommitCondition.MustNotExist;
    }

    /// <summary>The tag that a file must have for a change; "*" is any; null without a condition.</summary>
    /// <exception cref="ApiException">The condition is none that is taken here.</exception>
    public static string? TagToMatch(HttpRequest request)
    {
        if (!request.Headers.ContainsKey(HeaderNames.IfMatch)) return null;
        if (request.GetTypedHeaders().IfMatch is not [var tag] || tag.IsWeak)
            throw new ApiException(ProblemKind.InvalidRequest, "If-Match has one strong entity tag here, or '*'");
        return tag.Equals(EntityTagHeaderValue.Any) ? CommitCondition.AnyTag : tag.Tag.Value!.Trim('"');
    }

    /// <summary>The status by which a read ends before its content; null where the content is sent.</summary>
    public static int? OfRead(HttpRequest request, NamespaceEntry entry)
    {
        var (headers, tag, modified) = (request.GetTypedHeaders(), TagOf(entry), ModifiedAt(entry));
        if (request.Headers.ContainsKey(HeaderNames.IfMatch))
        {
            if (!headers.IfMatch.Any(wanted => Holds(wanted, tag, isStrong: true))) return StatusCodes.Status412PreconditionFailed;
        }
        else if (headers.IfUnmodifiedSince < modified)
        {
            return StatusCodes.Status412PreconditionFailed;
        }

        if (request.Headers.ContainsKey(HeaderNames.IfNoneMatch))
        {
            if (headers.IfNoneMatch.Any(known => Holds(known, tag, isStrong: false))) return StatusCodes.Status304NotModified;
        }
        else if (headers.IfModifiedSince >= modified)
        {
            return StatusCodes.Status304NotModified;
        }

        return null;
    }

    /// <summary>
    /// The range that is asked for: null for all of it, as where several are asked for, or where the file is not the one of If-Range; of
    /// no length where it lies beyond the end.
    /// </summary>
    public static (long Offset, long Length)? RangeOf(HttpRequest request, NamespaceEntry entry)
    {
        var headers = request.GetTypedHeaders();
        if (headers.Range is not { Unit.Value: "bytes", Ranges: { Count: 1 } ranges }) return null;
        if (headers.IfRange is { } condition
            && !(condition.EntityTag is { } tag ? Holds(tag, TagOf(entry), isStrong: true) : condition.LastModified == ModifiedAt(entry)))
            return null;
        var (from, to, size) = (ranges.First().From, ranges.First().To, entry.SizeBytes);
        if (from is null)
        {
            var last = Math.Min(to ?? 0, size);
            return (size - last, last);
        }

        if (from >= size) return (size, 0);
        return (from.Value, Math.Min(to ?? long.MaxValue, size - 1) - from.Value + 1);
    }

    static bool Holds(EntityTagHeaderValue wanted, EntityTagHeaderValue tag, bool isStrong) =>
        wanted.Equals(EntityTagHeaderValue.Any) || wanted.Compare(tag, isStrong);
}
