using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Copies of objects: references to the same blocks, in one transaction. No content moves.</summary>
sealed class CopyOperations(S3Services services)
{
    public async Task CopyAsync(S3Request request)
    {
        var source = CopySource.Parse(request.Header(CopySource.Header)!);
        ObjectProperties.RefuseUnsupported(request.Headers);
        var (replacesMetadata, replacesTags) = (Directive(request, "x-amz-metadata-directive"), Directive(
            request, "x-amz-tagging-directive"));
        var found = await source.FindAsync(services, request);
        var path = request.ObjectPath;
        var condition = Conditions.OfWrite(request.Header("If-Match"), request.Header("If-None-Match"));
        if (request.Header(ChecksumNames.AlgorithmHeader) is { } name
            && !found.Properties.ContainsKey(ChecksumNames.Parse(name).HeaderOf()))
            throw S3Error.NotImplemented.Because("No content is read to copy it, so a copy has the checksum of its source and no other.");
        var properties = PropertiesOf(request, found.Properties, replacesMetadata, replacesTags);
        NamespaceEntry entry;
        if (request.IsDirectoryKey || source.IsDirectoryKey)
        {
            entry = await CopyDirectoryAsync(request, source, condition, properties, replacesMetadata || replacesTags);
        }
        else if (source.Path == path)
        {
            if (!replacesMetadata && !replacesTags)
            {
                throw S3Error.InvalidRequest.Because(
                    "An object is copied to itself, and nothing of it changes: its metadata or tags have to be replaced.");
            }

            if (condition.IfTag is not (null or "*") && condition.IfTag != found.Entry.Tag) throw S3Error.PreconditionFailed.Exception();
            if (!condition.MayReplace) throw S3Error.PreconditionFailed.Exception();
            entry = await services.Files.SetPropertiesAsync(
                request.Customer, path, WriteOperations.Replace(properties), found.Entry.Tag, request.Cancelled);
        }
        else
        {
            var copy = new CopyFileOptions
            {
                IfTag = found.Entry.Tag,
                Condition = condition,
                Properties = properties,
                CreateParents = true
            };
            entry = await WriteOperations.WriteAsync(
                condition, () => services.Files.CopyFileAsync(request.Customer, source.Path, path, copy, request.Cancelled));
        }

        using var answer = new XmlAnswer("CopyObjectResult");
        answer.Time("LastModified", entry.UpdatedAt).Tag(ObjectVersions.TagOf(entry));
        foreach (var algorithm in ChecksumNames.All)
            answer.Text(algorithm.ElementOf(), properties.GetValueOrDefault(algorithm.HeaderOf()));
        await answer.SendAsync(request.Http);
    }

    async Task<NamespaceEntry> CopyDirectoryAsync(
        S3Request request, CopySource source, CommitCondition condition, FileProperties properties, bool replaces)
    {
        if (!request.IsDirectoryKey || !source.IsDirectoryKey)
            throw S3Error.InvalidArgument.Because("A key that ends in a slash is a directory, and is copied to such a key only.");
        if (source.Path == request.ObjectPath && !replaces)
            throw S3Error.InvalidRequest.Because("A directory is copied to itself, and nothing of it changes.");
        WriteOperations.RequireDirectoryCondition(condition);
        return await WriteOperations.MakeDirectoryAsync(services, request, condition, properties);
    }

    // What the content brings with it stays with it, whatever is replaced.
    static FileProperties PropertiesOf(S3Request request, FileProperties source, bool replacesMetadata, bool replacesTags)
    {
        var fresh = ObjectProperties.Of(request.Headers);
        return FileProperties.Of(
            source
                .Where(one => one.Key == Tagging.Property ? !replacesTags : !ObjectProperties.IsUserOrContent(one.Key) || !replacesMetadata)
                .Concat(fresh.Where(one => one.Key == Tagging.Property ? replacesTags : replacesMetadata)));
    }

    static bool Directive(S3Request request, string header) => request.Header(header) switch
    {
        null or "COPY" => false,
        "REPLACE" => true,
        _ => throw S3Error.InvalidArgument.Because($"{header} has to be COPY or REPLACE."),
    };
}
