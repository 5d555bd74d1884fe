using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Lists uploads that have not been completed, by their keys.</summary>
sealed class UploadLister(S3Services services)
{
    const int Page = 1000;

    public async Task ListAsync(S3Request request)
    {
        var limit = Numbers.Parse(request.Query("max-uploads"), "max-uploads", 0, Page) ?? Page;
        var (prefix, delimiter) = (request.Query("prefix") ?? "", request.Query("delimiter") ?? "");
        var (keyMarker, idMarker) = (request.Query("key-marker") ?? "", request.Query("upload-id-marker") ?? "");
        var encodes = ListOperations.EncodesKeys(request);
        var lines = new List<(string Key, UploadIntent? Upload)>();
        var isTruncated = false;
        foreach (var (key, upload) in await FindAsync(request, prefix))
        {
            var at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var name = at < 0 ? key : key[..(at + delimiter.Length)];
            if (!IsBehind(name, at < 0 ? upload : null, keyMarker, idMarker)) continue;
            if (at >= 0 && lines.Count > 0 && lines[^1] is (var last, null) && last == name) continue;
            isTruncated = lines.Count == limit;
            if (isTruncated) break;
            lines.Add((name, at < 0 ? upload : null));
        }

        using var answer = new XmlAnswer("ListMultipartUploadsResult", encodes);
        answer.Text("Bucket", request.Bucket).Key("KeyMarker", keyMarker).Text("UploadIdMarker", idMarker);
        answer.Key("Prefix", prefix).Text("MaxUploads", limit).Text("IsTruncated", isTruncated);
        if (delimiter.Length > 0) answer.Key("Delimiter", delimiter);
        if (encodes) answer.Text("EncodingType", "url");
        if (isTruncated && lines.Count > 0)
        {
            answer.Key("NextKeyMarker", lines[^1].Key)
                .Text("NextUploadIdMarker", lines[^1].Upload is { } last ? MultipartOperations.Format(last.Token.Id) : "");
        }

        foreach (var (key, upload) in lines)
        {
            if (upload is null) continue;
            answer.Element("Upload", element =>
            {
                element.Key("Key", key).Text("UploadId", MultipartOperations.Format(upload.Token.Id));
                element.Owner(request.Caller.OwnerId, "Initiator").Owner(request.Caller.OwnerId);
                element.Text("StorageClass", "STANDARD").Time("Initiated", upload.OpenedAt);
                if (!upload.Properties.TryGetValue(ObjectProperties.PartsAlgorithm, out var algorithm)) return;
                element.Text("ChecksumAlgorithm", algorithm).Text("ChecksumType", upload.Properties[ChecksumNames.TypeHeader]);
            });
        }

        foreach (var (key, upload) in lines)
        {
            if (upload is null) answer.Element("CommonPrefixes", common => common.Key("Prefix", key));
        }

        await answer.SendAsync(request.Http);
    }

    async Task<List<(string Key, UploadIntent Upload)>> FindAsync(S3Request request, string prefix)
    {
        var found = new List<(string Key, UploadIntent Upload)>();
        IntentToken? after = null;
        while (await services.Metadata.ListIntentsAsync(request.Customer, after, false, Page, request.Cancelled) is { Count: > 0 } page)
        {
            foreach (var upload in page)
            {
                if (upload is not { IsInParts: true, IsReleased: false } || upload.Path.Bucket != request.BucketPath) continue;
                var key = Encoding.UTF8.GetString(upload.Path.Bytes.Span[(Encoding.UTF8.GetByteCount(request.Bucket!) + 1)..]);
                if (key.StartsWith(prefix, StringComparison.Ordinal)) found.Add((key, upload));
            }

            after = page[^1].Token;
        }

        found.Sort((left, right) => left.Upload.Path.CompareTo(right.Upload.Path) is not 0 and var order
            ? order
            : left.Upload.Token.Id.CompareTo(right.Upload.Token.Id));
        return found;
    }

    static bool IsBehind(string name, UploadIntent? upload, string keyMarker, string idMarker)
    {
        if (keyMarker.Length == 0) return true;
        var order = Encoding.UTF8.GetBytes(name).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(keyMarker));
        return order > 0
            || (order == 0
                && idMarker.Length > 0
                && upload is not null
                && string.CompareOrdinal(MultipartOperations.Format(upload.Token.Id), idMarker) > 0);
    }
}
