using Ashlar.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>The content of a file as an answer: all of it or a range, under conditions, in constant memory.</summary>
static class FileContent
{
    const string UsualType = "application/octet-stream";

    public static async Task WriteAsync(FileStore store, CustomerId customer, DescribedEntry found, HttpContext context)
    {
        var (request, response, entry) = (context.Request, context.Response, found.Entry);
        Describe(response, found);
        if (FileConditions.OfRead(request, entry) is { } status)
        {
            if (status == StatusCodes.Status412PreconditionFailed)
                throw new ApiException(ProblemKind.Changed, $"{entry.Path} is not as the condition says");
            response.StatusCode = status;
            return;
        }

        var (offset, length) = (0L, entry.SizeBytes);
        if (FileConditions.RangeOf(request, entry) is { } range)
        {
            if (range.Length == 0)
            {
                response.Headers.ContentRange = $"bytes */{entry.SizeBytes}";
                throw new ApiException(
                    ProblemKind.InvalidRequest.WithStatus(StatusCodes.Status416RangeNotSatisfiable),
                    $"the range begins beyond the end of {entry.Path}, which has {entry.SizeBytes} bytes");
            }

            (offset, length) = range;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {offset}-{offset + length - 1}/{entry.SizeBytes}";
        }

        response.ContentLength = length;
        if (HttpMethods.IsHead(request.Method)) return;
        var reader = await store.Service.ReadFileAsync(customer, entry.Path, offset, length, context.RequestAborted);
        // Another file took the name in between: what was said of it does not hold.
        if (reader.Entry.FileId != entry.FileId)
        {
            response.Clear();
            throw new ApiException(ProblemKind.Changed, $"{entry.Path} was replaced while it was being opened") { Hint = "ask again" };
        }

        FileBodies.OpenResponse(context);
        // A failure from here on cuts the connection off: fewer bytes came than were announced.
        await reader.CopyToAsync(response.Body, context.RequestAborted);
    }

    static void Describe(HttpResponse response, DescribedEntry found)
    {
        var headers = response.GetTypedHeaders();
        headers.ETag = FileConditions.TagOf(found.Entry);
        headers.LastModified = FileConditions.ModifiedAt(found.Entry);
        response.Headers.AcceptRanges = "bytes";
        // What somebody has stored is not to be taken for a page of this server.
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox";
        response.ContentType = TypeOf(found.Properties);
        if (FileAnswers.Sha256(found.Entry, found.Properties) is { Length: 64 } hash)
            response.Headers["Repr-Digest"] = $"sha-256=:{Convert.ToBase64String(Convert.FromHexString(hash))}:";
    }

    static string TypeOf(FileProperties properties) =>
        properties.GetValueOrDefault(FileAnswers.TypeProperty) is { } type && MediaTypeHeaderValue.TryParse(type, out _) ? type : UsualType;
}
