using System.Globalization;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Conditions of a request on the object that it reads, or copies.</summary>
/// <param name="IfMatch">It has one of these tags.</param>
/// <param name="IfNoneMatch">It has none of these.</param>
/// <param name="IfModifiedSince">It was changed after that.</param>
/// <param name="IfUnmodifiedSince">It was not.</param>
sealed record Conditions(string? IfMatch, string? IfNoneMatch, DateTimeOffset? IfModifiedSince, DateTimeOffset? IfUnmodifiedSince)
{
    public static Conditions OfRead(S3Request request) => new(
        request.Header("If-Match"), request.Header("If-None-Match"), Time(request.Header("If-Modified-Since")),
        Time(request.Header("If-Unmodified-Since")));

    public static Conditions OfCopySource(S3Request request) => new(
        request.Header("x-amz-copy-source-if-match"), request.Header("x-amz-copy-source-if-none-match"),
        Time(request.Header("x-amz-copy-source-if-modified-since")), Time(request.Header("x-amz-copy-source-if-unmodified-since")));

    /// <summary>Why the object is not to be read; null if it is.</summary>
    public S3Error? Check(NamespaceEntry entry)
    {
        var changedAt = ToSeconds(entry.UpdatedAt);
        // A tag says more than a time: where there is one, the time does not count.
        if (IfMatch is not null)
        {
            if (!Matches(IfMatch, ObjectVersions.TagOf(entry))) return S3Error.PreconditionFailed;
        }
        else if (changedAt > IfUnmodifiedSince)
        {
            return S3Error.PreconditionFailed;
        }

        if (IfNoneMatch is not null) return Matches(IfNoneMatch, ObjectVersions.TagOf(entry)) ? S3Error.NotModified : null;
        return changedAt <= IfModifiedSince ? S3Error.NotModified : null;
    }

    /// <summary>Whether a list of tags has one.</summary>
    public static bool Matches(string list, string tag)
    {
        foreach (var part in list.Split(','))
        {
            var one = part.Trim();
            if (one == "*" || Unquote(one) == tag) return true;
        }

        return false;
    }

    public static string Unquote(string tag)
    {
        if (tag.StartsWith("W/", StringComparison.Ordinal)) tag = tag[2..];
        return tag.Length >= 2 && tag[0] == '"' && tag[^1] == '"' ? tag[1..^1] : tag;
    }

    /// <summary>The condition under which what a request brings takes its name.</summary>
    /// <exception cref="S3Exception">It is one that is not supported.</exception>
    public static CommitCondition OfWrite(string? ifMatch, string? ifNoneMatch)
    {
        if (ifNoneMatch is not null)
        {
            if (ifNoneMatch.Trim() != "*" || ifMatch is not null)
                throw S3Error.NotImplemented.Because("Of If-None-Match, only * is supported when writing, and not together with If-Match.");
            return CommitCondition.MustNotExist;
        }

        return ifMatch is null ? CommitCondition.Replace : CommitCondition.ReplaceIf(Unquote(ifMatch.Trim()));
    }

    public static DateTimeOffset ToSeconds(DateTimeOffset time) => time.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond));

    // A time that cannot be read is none, as HTTP has it.
    public static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces,
            out var time)
            ? time
            : null;
}
