using System.Text;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>
/// The three tables as a script, in the memory of one line, a few at a time: each keeps the store from forgetting what it replaces. Whoever
/// reads slower than the web server allows is cut off, and a script that is cut off makes nothing.
/// </summary>
/// <param name="store">The file store.</param>
/// <param name="only">Whose; null for all.</param>
/// <param name="turns">Those that are being read.</param>
sealed class FileCatalogueAnswer(FileStore store, CustomerId? only, FileCatalogueTurns turns) : IResult
{
    public const string ContentType = "application/sql";

    const int BufferCharacters = 64 << 10;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var turn = turns.Take();
        httpContext.Response.ContentType = ContentType;
        if (HttpMethods.IsHead(httpContext.Request.Method)) return;
        await using var writer = new StreamWriter(httpContext.Response.Body, new UTF8Encoding(false), BufferCharacters) { NewLine = "\n" };
        await store.ExportAsync(writer, only, httpContext.RequestAborted);
    }
}

/// <summary>Catalogues of files that are being read.</summary>
sealed class FileCatalogueTurns
{
    const int MostAtOnce = 4;

    int running;

    /// <summary>Takes a turn; dispose it.</summary>
    /// <exception cref="ApiException">Others have them all.</exception>
    public IDisposable Take()
    {
        if (Interlocked.Increment(ref running) <= MostAtOnce) return new Turn(this);
        Interlocked.Decrement(ref running);
        throw new ApiException(ProblemKind.Unavailable, $"{MostAtOnce} catalogues are being read already");
    }

    sealed class Turn(FileCatalogueTurns turns) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref turns.running);
    }
}
