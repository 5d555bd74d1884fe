using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>What a copy is made of.</summary>
sealed record CopySource(string Bucket, string Key)
{
    public const string Header = "x-amz-copy-source";

    public FilePath Path => S3Request.PathOf(Bucket, Key);

    public bool IsDirectoryKey => Key.EndsWith('/');

    /// <summary>Reads the header: BUCKET/KEY, encoded, perhaps with a slash in front and a version behind.</summary>
    /// <exception cref="S3Exception">It is none.</exception>
    public static CopySource Parse(string header)
    {
        const string versionParameter = "?versionId=";
        // A question mark of a key is encoded.
        var mark = header.IndexOf(versionParameter, StringComparison.Ordinal);
        if (mark >= 0) ObjectVersions.Require(header[(mark + versionParameter.Length)..]);
        var encoded = mark >= 0 ? header[..mark] : header;
        var bytes = UriText.Decode(encoded, plusIsSpace: false) ?? throw Malformed();
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) throw Malformed();
        var text = Encoding.UTF8.GetString(bytes);
        if (text.StartsWith('/')) text = text[1..];
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == text.Length - 1) throw Malformed();
        return new(text[..slash], text[(slash + 1)..]);
    }

    /// <summary>The object, if the caller may read it and it meets the conditions.</summary>
    /// <exception cref="S3Exception">It is not there, or does not meet them.</exception>
    public async Task<DescribedEntry> FindAsync(S3Services services, S3Request request)
    {
        // Within the customer alone: another's bucket of the same name is never looked at.
        if (!request.Caller.Rights.HasFlag(FileRights.Read)) throw S3Error.AccessDenied.Exception();
        if (request.Header("x-amz-source-expected-bucket-owner") is { } owner && owner != request.Caller.OwnerId)
            throw S3Error.AccessDenied.Exception();
        if (!BucketName.IsValid(Bucket)) throw S3Error.NoSuchBucket.Exception();
        var found = await ReadOperations.FindAsync(services.Metadata, request.Customer, Path, IsDirectoryKey, request.Cancelled);
        if (found is null)
        {
            var bucket = await services.Metadata.StatAsync(request.Customer, S3Request.PathOf(Bucket), request.Cancelled);
            throw (bucket is null ? S3Error.NoSuchBucket : S3Error.NoSuchKey).Exception();
        }

        // Where a read would answer that nothing has changed, a copy is not made.
        return Conditions.OfCopySource(request).Check(found.Entry) is null ? found : throw S3Error.PreconditionFailed.Exception();
    }

    static S3Exception Malformed() => S3Error.InvalidArgument.Because($"{Header} has to be BUCKET/KEY, percent-encoded.");
}
