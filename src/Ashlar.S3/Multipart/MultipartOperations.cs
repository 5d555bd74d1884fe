using System.Globalization;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Uploads in parts: an intent of the store that lives until it is completed, aborted or left alone for too long.</summary>
sealed class MultipartOperations(S3Services services)
{
    const int MaxListed = 1000;

    public async Task CreateAsync(S3Request request)
    {
        if (request.IsDirectoryKey)
            throw S3Error.InvalidArgument.Because("A key that ends in a slash is that of a directory, and has no content.");
        var properties = ObjectProperties.Of(request.Headers).ToDictionary(StringComparer.Ordinal);
        var algorithm = request.Header(ChecksumNames.AlgorithmHeader) is { } name ? ChecksumNames.Parse(name) : (ChecksumAlgorithm?)null;
        var type = TypeOf(request, algorithm);
        if (algorithm is { } chosen)
        {
            properties[ObjectProperties.PartsAlgorithm] = chosen.NameOf();
            properties[ChecksumNames.TypeHeader] = type.NameOf();
            request.Response.Headers[ChecksumNames.AlgorithmHeader] = chosen.NameOf();
            request.Response.Headers[ChecksumNames.TypeHeader] = type.NameOf();
        }

        await WriteOperations.RequireNameAsync(services, request);
        var upload = await services.Files.BeginPartsAsync(
            request.Customer, request.ObjectPath,
            new() { Properties = FileProperties.Of(properties), CreateParents = true },
            request.Cancelled);
        using var answer = new XmlAnswer("InitiateMultipartUploadResult");
        answer.Text("Bucket", request.Bucket).Key("Key", request.Key).Text("UploadId", Format(upload.Token.Id));
        await answer.SendAsync(request.Http);
    }

    public async Task UploadPartAsync(S3Request request)
    {
        var number = PartNumber(request);
        ObjectProperties.RefuseUnsupported(request.Headers);
        var upload = await FindAsync(request);
        await using var body = RequestBody.Open(request);
        if (body.LengthBytes is null && !request.Payload.IsChunked) throw S3Error.MissingContentLength.Exception();
        if (body.LengthBytes > MultipartLimits.MaxPartBytes) throw S3Error.EntityTooLarge.Exception();
        var algorithm = AlgorithmOf(upload);
        var expected = ContentExpectation.Of(request.Headers, body.Trailer);
        if (algorithm is not null && expected.Algorithm is { } said && said != algorithm)
            throw S3Error.InvalidRequest.Because($"The checksum of a part has to be {algorithm.Value.NameOf()}, as the upload was begun.");
        using var check = new ContentCheck(expected, algorithm);
        var part = await InUploadAsync(services, request, () => services.Files.PutPartAsync(
            upload.Token, number, body.Content, new() { ExpectedBytes = body.LengthBytes, Check = check }, request.Cancelled));
        request.Response.Headers.ETag = $"\"{part.Tag}\"";
        if (check.Checksum is { } checksum) request.Response.Headers[check.ChecksumName!] = checksum;
    }

    public async Task UploadPartCopyAsync(S3Request request)
    {
        var number = PartNumber(request);
        var source = CopySource.Parse(request.Header(CopySource.Header)!);
        var upload = await FindAsync(request);
        var found = await source.FindAsync(services, request);
        if (source.IsDirectoryKey) throw S3Error.InvalidRequest.Because("A directory has no content to copy.");
        var size = found.Entry.SizeBytes;
        var range = request.Header("x-amz-copy-source-range") is { } header ? ByteRange.ParseCopy(header, size) : new(0, size);
        if (range.Length > MultipartLimits.MaxPartBytes) throw S3Error.EntityTooLarge.Exception();
        var reader = await services.Files.ReadFileAsync(request.Customer, source.Path, range.Offset, range.Length, request.Cancelled);
        if (reader.Entry.FileId != found.Entry.FileId) throw S3Error.PreconditionFailed.Because("The source was replaced at this moment.");
        using var check = new ContentCheck(ContentExpectation.Nothing, AlgorithmOf(upload));
        await using var content = new CopiedContent(reader, request.Cancelled);
        var part = await InUploadAsync(services, request, () => services.Files.PutPartAsync(
            upload.Token, number, content, new() { ExpectedBytes = range.Length, Check = check }, request.Cancelled));
        using var answer = new XmlAnswer("CopyPartResult");
        answer.Time("LastModified", part.CreatedAt).Tag(part.Tag);
        if (check.Checksum is { } checksum) answer.Text(AlgorithmOf(upload)!.Value.ElementOf(), checksum);
        await answer.SendAsync(request.Http);
    }

    public async Task AbortAsync(S3Request request)
    {
        var upload = await FindAsync(request);
        await InUploadAsync(services, request, async () =>
        {
            await services.Files.AbortPartsAsync(upload.Token, request.Cancelled);
            return true;
        });
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task ListPartsAsync(S3Request request)
    {
        var upload = await FindAsync(request);
        var limit = Numbers.Parse(request.Query("max-parts"), "max-parts", 0, MaxListed) ?? MaxListed;
        var after = Numbers.Parse(request.Query("part-number-marker"), "part-number-marker", 0, MultipartLimits.MaxParts) ?? 0;
        var parts = await services.Metadata.ListPartsAsync(request.Customer, upload.Token.Id, after, limit + 1, request.Cancelled);
        var algorithm = AlgorithmOf(upload);
        using var answer = new XmlAnswer("ListPartsResult", ListOperations.EncodesKeys(request));
        answer.Text("Bucket", request.Bucket).Key("Key", request.Key).Text("UploadId", Format(upload.Token.Id));
        answer.Owner(request.Caller.OwnerId, "Initiator").Owner(request.Caller.OwnerId).Text("StorageClass", "STANDARD");
        if (algorithm is { } one)
            answer.Text("ChecksumAlgorithm", one.NameOf()).Text("ChecksumType", upload.Properties[ChecksumNames.TypeHeader]);
        answer.Text("PartNumberMarker", after).Text("MaxParts", limit).Text("IsTruncated", parts.Count > limit);
        if (limit > 0 && parts.Count > 0) answer.Text("NextPartNumberMarker", parts[Math.Min(limit, parts.Count) - 1].Number);
        foreach (var part in parts.Take(limit))
        {
            answer.Element("Part", element =>
            {
                element.Text("PartNumber", part.Number).Time("LastModified", part.CreatedAt).Tag(part.Tag).Text("Size", part.SizeBytes);
                foreach (var each in ChecksumNames.All) element.Text(each.ElementOf(), part.Properties.GetValueOrDefault(each.HeaderOf()));
            });
        }

        await answer.SendAsync(request.Http);
    }

    async Task<UploadIntent> FindAsync(S3Request request)
    {
        var upload = await services.Metadata.FindIntentAsync(request.Customer, ParseId(request.Query("uploadId")!), request.Cancelled);
        // One of another key is none of this.
        return upload is { IsInParts: true, IsReleased: false } && upload.Path == request.ObjectPath
            ? upload : throw S3Error.NoSuchUpload.Exception();
    }

    /// <summary>Works on the upload of a request, and tells one that has ended meanwhile from one that is out of reach for now.</summary>
    public static async Task<T> InUploadAsync<T>(S3Services services, S3Request request, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (IntentLostException)
        {
            var id = ParseId(request.Query("uploadId")!);
            if (await services.Metadata.FindIntentAsync(request.Customer, id, request.Cancelled) is { IsReleased: false }) throw;
            throw S3Error.NoSuchUpload.Exception();
        }
    }

    static ChecksumType TypeOf(S3Request request, ChecksumAlgorithm? algorithm)
    {
        var said = request.Header(ChecksumNames.TypeHeader);
        if (algorithm is not { } chosen)
        {
            if (said is null) return ChecksumType.Composite;
            throw S3Error.InvalidRequest.Because($"{ChecksumNames.TypeHeader} needs {ChecksumNames.AlgorithmHeader}.");
        }

        var type = said is null
            ? chosen == ChecksumAlgorithm.Crc64Nvme ? ChecksumType.FullObject : ChecksumType.Composite
            : ChecksumNames.ParseType(said);
        if (type == ChecksumType.FullObject && !chosen.CanBeCombined())
            throw S3Error.InvalidRequest.Because($"Of {chosen.NameOf()} there is no FULL_OBJECT checksum of an upload in parts.");
        if (type == ChecksumType.Composite && chosen == ChecksumAlgorithm.Crc64Nvme)
            throw S3Error.InvalidRequest.Because("Of CRC64NVME there is no COMPOSITE checksum.");
        return type;
    }

    public static ChecksumAlgorithm? AlgorithmOf(UploadIntent upload) =>
        upload.Properties.TryGetValue(ObjectProperties.PartsAlgorithm, out var name) ? ChecksumNames.Parse(name) : null;

    static int PartNumber(S3Request request)
    {
        var text = request.Query("partNumber");
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is >= 1 and <= MultipartLimits.MaxParts
            ? number
            : throw S3Error.InvalidArgument.Because($"partNumber has to be from 1 to {MultipartLimits.MaxParts}.");
    }

    public static string Format(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    public static ulong ParseId(string text) =>
        text.Length == 16 && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && Format(id) == text
            ? id
            : throw S3Error.NoSuchUpload.Exception();
}
