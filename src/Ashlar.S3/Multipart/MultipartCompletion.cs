using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>The end of an upload in parts: those that are named become the object.</summary>
sealed class MultipartCompletion(S3Services services)
{
    const int MaxXmlBytes = 4 << 20, Page = 1000;

    // A part has a number, a tag, and a checksum of each kind at the most.
    const int MaxNodes = 16 * MultipartLimits.MaxParts;

    public async Task CompleteAsync(S3Request request)
    {
        var body = await XmlBody.ReadAsync(
            request, "CompleteMultipartUpload", MaxXmlBytes, MaxNodes, describesObject: true, ifEmpty: S3Error.MalformedXml);
        var named = ReadParts(body);
        var condition = Conditions.OfWrite(request.Header("If-Match"), request.Header("If-None-Match"));
        var id = MultipartOperations.ParseId(request.Query("uploadId")!);
        var upload = await services.Metadata.FindIntentAsync(request.Customer, id, request.Cancelled);
        if (upload is null || upload.IsReleased || upload.Path != request.ObjectPath || !upload.IsInParts)
        {
            await AnswerAgainAsync(request, id, named);
            return;
        }

        var parts = await FindPartsAsync(request, upload, named);
        var tag = TagOf(parts);
        var properties = ChecksumOf(request, upload, parts);
        if (PartSizes.Format([.. parts.Select(part => part.SizeBytes)]) is { } sizes) properties[ObjectProperties.Parts] = sizes;
        var complete = new CompletePartsOptions { Condition = condition, Tag = tag, Properties = FileProperties.Of(properties) };
        var entry = await MultipartOperations.InUploadAsync(services, request, () => WriteOperations.WriteAsync(
            condition, () => services.Files.CompletePartsAsync(
                upload.Token, [.. named.Select(part => (part.Number, part.Tag))], complete, request.Cancelled)));
        await AnswerAsync(request, entry, properties);
    }

    // A completion whose answer was lost is asked for again: what it made is there, under its number.
    async Task AnswerAgainAsync(S3Request request, ulong id, List<NamedPart> named)
    {
        var committed = await services.Metadata.FindCommittedAsync(request.Customer, id, request.Cancelled);
        var made = committed?.Path == request.ObjectPath
            ? await services.Metadata.DescribeAsync(request.Customer, request.ObjectPath, request.Cancelled)
            : null;
        if (made?.Entry.FileId != id || !made.Entry.Tag.EndsWith($"-{named.Count}", StringComparison.Ordinal))
            throw S3Error.NoSuchUpload.Exception();
        await AnswerAsync(request, made.Entry, made.Properties.ToDictionary(StringComparer.Ordinal));
    }

    static async Task AnswerAsync(S3Request request, NamespaceEntry entry, Dictionary<string, string> properties)
    {
        using var answer = new XmlAnswer("CompleteMultipartUploadResult");
        answer
            .Text("Location", request.UrlOf(request.Key))
            .Text("Bucket", request.Bucket).Key("Key", request.Key).Tag(entry.Tag);
        foreach (var algorithm in ChecksumNames.All)
        {
            if (!properties.TryGetValue(algorithm.HeaderOf(), out var value)) continue;
            answer.Text(algorithm.ElementOf(), value).Text("ChecksumType", properties.GetValueOrDefault(ChecksumNames.TypeHeader));
        }

        await answer.SendAsync(request.Http);
    }

    async Task<List<UploadPart>> FindPartsAsync(S3Request request, UploadIntent upload, List<NamedPart> named)
    {
        // Of the whole, a checksum can be made without; of the parts, the client has to say which it means.
        var needed = MultipartOperations.AlgorithmOf(upload) is { } algorithm
            && upload.Properties[ChecksumNames.TypeHeader] == ChecksumType.Composite.NameOf() ? algorithm.HeaderOf() : null;
        var known = new Dictionary<int, UploadPart>();
        while (await services.Metadata.ListPartsAsync(
            request.Customer, upload.Token.Id, known.Count == 0 ? 0 : known.Keys.Max(), Page, request.Cancelled) is { Count: > 0 } page)
        {
            foreach (var part in page) known[part.Number] = part;
        }

        var parts = new List<UploadPart>();
        foreach (var name in named)
        {
            if (!known.TryGetValue(name.Number, out var part) || part.Tag != name.Tag)
                throw S3Error.InvalidPart.Because($"Part {name.Number} is not there, or not with this tag.");
            if (needed is not null && name.Checksums.All(checksum => checksum.Header != needed))
                throw S3Error.InvalidRequest.Because($"The upload was begun with {needed}, and part {name.Number} is named without.");
            foreach (var (header, value) in name.Checksums)
            {
                if (part.Properties.GetValueOrDefault(header) != value)
                    throw S3Error.InvalidPart.Because($"Part {name.Number} has another checksum.");
            }

            parts.Add(part);
        }

        foreach (var part in parts.SkipLast(1))
        {
            if (part.SizeBytes < services.Options.MinPartBytes)
            {
                throw new S3Exception(S3Error.EntityTooSmall,
                    $"Part {part.Number} has {part.SizeBytes} bytes; all but the last have at least {services.Options.MinPartBytes}.")
                {
                    Details = [("PartNumber", part.Number.ToString(CultureInfo.InvariantCulture)), ("ETag", part.Tag)],
                };
            }
        }

        if (request.Header("x-amz-mp-object-size") is { } size
            && size != parts.Sum(part => part.SizeBytes).ToString(CultureInfo.InvariantCulture))
            throw S3Error.InvalidRequest.Because("The parts are not as long as x-amz-mp-object-size says.");
        return parts;
    }

    static Dictionary<string, string> ChecksumOf(
        S3Request request, UploadIntent upload, List<UploadPart> parts)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        var (algorithm, type) = (MultipartOperations.AlgorithmOf(upload), ChecksumType.Composite);
        if (algorithm is not null)
        {
            type = ChecksumNames.ParseType(upload.Properties[ChecksumNames.TypeHeader]);
        }
        else
        {
            // Nothing was said at the beginning; what all parts have, the object can have.
            algorithm = ChecksumNames.All
                .Where(one => parts.All(part => part.Properties.ContainsKey(one.HeaderOf())))
                .Cast<ChecksumAlgorithm?>()
                .FirstOrDefault();
            if (algorithm == ChecksumAlgorithm.Crc64Nvme) type = ChecksumType.FullObject;
        }

        if (request.Header(ChecksumNames.TypeHeader) is { } said && algorithm is not null && ChecksumNames.ParseType(said) != type)
            throw S3Error.InvalidRequest.Because($"{ChecksumNames.TypeHeader} is not that of the upload.");
        var isKnown = algorithm is { } one && parts.All(part => part.Properties.ContainsKey(one.HeaderOf()));
        // What cannot be compared is not taken for right.
        var other = request.Headers.Keys
            .Where(ChecksumNames.IsValue)
            .FirstOrDefault(name => !isKnown || !name.Equals(algorithm!.Value.HeaderOf(), StringComparison.OrdinalIgnoreCase));
        if (other is not null) throw S3Error.InvalidRequest.Because($"The parts were not uploaded with what {other} is made of.");
        if (!isKnown) return properties;
        var chosen = algorithm!.Value;
        var value = PartChecksums.Combine(
            chosen, type,
            [.. parts.Select(part => (chosen.Decode(part.Properties[chosen.HeaderOf()])
                ?? throw S3Error.InvalidPart.Because($"Part {part.Number} has no valid checksum."), part.SizeBytes))]);
        // Of a composite, the number of parts may be left out.
        if (request.Header(chosen.HeaderOf()) is { } expected && expected != value && expected != value.Split('-')[0])
            throw S3Error.BadDigest.Because($"The parts are not what {chosen.HeaderOf()} says.");
        properties[chosen.HeaderOf()] = value;
        properties[ChecksumNames.TypeHeader] = type.NameOf();
        return properties;
    }

    static List<NamedPart> ReadParts(XElement root)
    {
        root.AllowOnly("Part");
        var parts = new List<NamedPart>();
        foreach (var element in root.All("Part"))
        {
            if (parts.Count == MultipartLimits.MaxParts)
                throw S3Error.MalformedXml.Because($"There are more than {MultipartLimits.MaxParts} parts.");
            element.AllowOnly(["PartNumber", "ETag", .. ChecksumNames.All.Select(ChecksumNames.ElementOf)]);
            if (!int.TryParse(element.Need("PartNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number is < 1 or > MultipartLimits.MaxParts)
            {
                throw S3Error.InvalidPart.Because($"A part number is not from 1 to {MultipartLimits.MaxParts}.");
            }

            if (parts.Count > 0 && parts[^1].Number >= number) throw S3Error.InvalidPartOrder.Exception();
            var checksums = ChecksumNames.All
                .Select(algorithm => (algorithm.HeaderOf(), element.Text(algorithm.ElementOf())))
                .Where(checksum => checksum.Item2 is not null)
                .Select(checksum => (checksum.Item1, checksum.Item2!));
            parts.Add(new(number, Conditions.Unquote(element.Need("ETag").Trim()), [.. checksums]));
        }

        return parts.Count > 0 ? parts : throw S3Error.MalformedXml.Because("There is no part.");
    }

    // The MD5 of those of the parts, and their number: clients know the form.
    static string TagOf(List<UploadPart> parts)
    {
#pragma warning disable CA5351 // As S3 makes it.
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        foreach (var part in parts) md5.AppendData(Convert.FromHexString(part.Tag));
        return $"{Convert.ToHexStringLower(md5.GetHashAndReset())}-{parts.Count}";
    }

    /// <summary>A part as a completion names it.</summary>
    sealed record NamedPart(int Number, string Tag, IReadOnlyList<(string Header, string Value)> Checksums);
}
