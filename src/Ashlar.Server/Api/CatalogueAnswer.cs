using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>Answers whoever asks, a few at a time: each keeps the stores from forgetting what they replace.</summary>
sealed class CatalogueAnswer(ServedPools pools, TimeProvider time) : IResult
{
    const int MostAtOnce = 4;

    int running;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        try
        {
            if (Interlocked.Increment(ref running) > MostAtOnce)
                throw new ApiException(ProblemKind.Unavailable, $"{MostAtOnce} catalogues are being read already");
            httpContext.Response.ContentType = CatalogueStream.ContentType;
            if (HttpMethods.IsHead(httpContext.Request.Method)) return;
            await CatalogueStream.WriteAsync(pools, httpContext.Response.BodyWriter, time.GetUtcNow(), httpContext.RequestAborted);
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }
}
