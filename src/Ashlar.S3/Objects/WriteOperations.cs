using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Operations that make objects, or change what is kept with them.</summary>
sealed class WriteOperations(S3Services services)
{
    const long ShortBytes = 1 << 20;

    public async Task PutAsync(S3Request request)
    {
        if (request.IsDirectoryKey)
        {
            await PutDirectoryAsync(request);
            return;
        }

        var path = request.ObjectPath;
        var properties = ObjectProperties.Of(request.Headers);
        var condition = Conditions.OfWrite(request.Header("If-Match"), request.Header("If-None-Match"));
        await CheckAsync(request, path, condition);
        // A short body is here as soon as the answer would be.
        if (request.Http.Request.ContentLength is not <= ShortBytes) await RequireNameAsync(services, request);
        await using var body = RequestBody.Open(request);
        if (body.LengthBytes is null && !request.Payload.IsChunked) throw S3Error.MissingContentLength.Exception();
        if (body.LengthBytes > MultipartLimits.MaxPartBytes) throw S3Error.EntityTooLarge.Exception();
        using var check = new ContentCheck(ContentExpectation.Of(request.Headers, body.Trailer));
        var create = new CreateFileOptions
        {
            Condition = condition,
            ExpectedBytes = body.LengthBytes,
            Check = check,
            Properties = properties,
            CreateParents = true,
        };
        var entry = await WriteAsync(
            condition, () => services.Files.CreateFileAsync(request.Customer, path, body.Content, create, request.Cancelled));
        request.Response.Headers.ETag = $"\"{entry.Tag}\"";
        if (check.Checksum is { } checksum)
        {
            request.Response.Headers[check.ChecksumName!] = checksum;
            request.Response.Headers[ChecksumNames.TypeHeader] = ChecksumType.FullObject.NameOf();
        }
    }

    public async Task PutTaggingAsync(S3Request request)
    {
        var tags = Tagging.ParseXml(await XmlBody.ReadAsync(request, "Tagging", Tagging.MaxXmlBytes), Tagging.MaxOfObject);
        await SetTagsAsync(request, tags);
    }

    public async Task DeleteTaggingAsync(S3Request request)
    {
        await SetTagsAsync(request, null);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Refuses at once what would be refused when all of it has come.</summary>
    public async Task CheckAsync(S3Request request, FilePath path, CommitCondition condition)
    {
        if (condition == CommitCondition.Replace) return;
        var entry = await services.Metadata.StatAsync(request.Customer, path, request.Cancelled);
        if (!condition.MayReplace)
        {
            if (entry is not null) throw S3Error.PreconditionFailed.Exception();
            return;
        }

        if (entry?.Kind != NamespaceEntryKind.File) throw S3Error.NoSuchKey.Exception();
        if (condition.IfTag != "*" && condition.IfTag != entry.Tag) throw S3Error.PreconditionFailed.Exception();
    }

    /// <summary>Refuses a name behind that of an object and a slash, or in front of those of others.</summary>
    public static async Task RequireNameAsync(S3Services services, S3Request request)
    {
        var path = request.ObjectPath;
        for (var each = path; !each.IsRoot; each = each.Parent)
        {
            var entry = await services.Metadata.StatAsync(request.Customer, each, request.Cancelled);
            if (entry is null) continue;
            var isFile = entry.Kind == NamespaceEntryKind.File;
            if (each == path && !isFile) throw BehindName();
            if (each != path && isFile) throw S3Error.InvalidRequest.Because($"{each}: there is an object of this name.");
            return;
        }
    }

    /// <summary>Refuses a condition that cannot be held for a directory.</summary>
    public static void RequireDirectoryCondition(CommitCondition condition)
    {
        if (condition.IfTag is not null) throw S3Error.NotImplemented.Because("If-Match is not supported for keys that end in a slash.");
    }

    /// <summary>Makes the directory of a key that ends in a slash, or gives the one that is there other properties.</summary>
    public static async Task<NamespaceEntry> MakeDirectoryAsync(
        S3Services services, S3Request request, CommitCondition condition, FileProperties properties)
    {
        var (customer, path) = (request.Customer, request.ObjectPath);
        var create = new CreateDirectoryOptions { CreateParents = true, MayClaimImplicit = true, Properties = properties };
        try
        {
            return await services.Files.CreateDirectoryAsync(customer, path, create, request.Cancelled);
        }
        catch (PathExistsException taken)
        {
            // What is kept with an object is not for a directory to change.
            if (taken.Kind == NamespaceEntryKind.File)
                throw S3Error.InvalidRequest.Because("There is an object of this name without the slash.");
            if (!condition.MayReplace) throw S3Error.PreconditionFailed.Exception();
            return await services.Files.SetPropertiesAsync(customer, path, Replace(properties), null, request.Cancelled);
        }
    }

    /// <summary>Writes under a condition, and tells what is missing from what is another.</summary>
    public static async Task<NamespaceEntry> WriteAsync(CommitCondition condition, Func<Task<NamespaceEntry>> write)
    {
        try
        {
            return await write();
        }
        catch (TagMismatchException mismatch) when (condition.IfTag is not null && mismatch.Found is null)
        {
            throw S3Error.NoSuchKey.Exception();
        }
        catch (PathExistsException) when (condition.MayReplace)
        {
            throw BehindName();
        }
    }

    // A directory, which somebody made: it stays when nothing is in it any more.
    async Task PutDirectoryAsync(S3Request request)
    {
        var properties = ObjectProperties.Of(request.Headers);
        var condition = Conditions.OfWrite(request.Header("If-Match"), request.Header("If-None-Match"));
        RequireDirectoryCondition(condition);
        var content = await RequestBody.ReadAsync(request, maxBytes: 1 << 20);
        if (content.Length > 0)
            throw S3Error.InvalidArgument.Because("A key that ends in a slash is that of a directory, and has no content.");
        await MakeDirectoryAsync(services, request, condition, properties);
        request.Response.Headers.ETag = $"\"{ObjectVersions.EmptyTag}\"";
    }

    async Task SetTagsAsync(S3Request request, string? tags)
    {
        var found = await new ReadOperations(services).FindAsync(request);
        var changes = new PropertyChanges(
            false, new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                [Tagging.Property] = string.IsNullOrEmpty(tags)
                ? null : tags
            }, false);
        await services.Files.SetPropertiesAsync(
            request.Customer, request.ObjectPath, changes, request.IsDirectoryKey ? null : found.Entry.Tag, request.Cancelled);
    }

    static S3Exception BehindName() => S3Error.InvalidRequest.Because("There are objects behind this name and a slash.");

    public static PropertyChanges Replace(FileProperties properties) =>
        new(true, properties.ToDictionary(one => one.Key, one => (string?)one.Value, StringComparer.Ordinal), true);
}
