using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/file-catalogue and /v1/customers/{customer}/catalogue: names, files and places of blocks as statements of SQL.</summary>
static class FileCatalogueRoutes
{
    public static void MapFileCatalogues(this IEndpointRouteBuilder routes, FileStores files)
    {
        var turns = new FileCatalogueTurns();
        routes.MapMethods("/v1/file-catalogue", StatusRoutes.ReadMethods, FileCatalogueAnswer () => new(files.Get(), null, turns))
            .Describe("getFileCatalogue", "Names, files and places of blocks of all customers: a script of SQL")
            .Produces<string>(StatusCodes.Status200OK, FileCatalogueAnswer.ContentType);

        routes.MapMethods("/v1/customers/{customer}/catalogue", StatusRoutes.ReadMethods, FileCatalogueAnswer (
            string customer, HttpContext context) => new(files.Get(), context.Holder().Customer.Id, turns))
            .RequireKey(FileRights.Read)
            .Describe("getCustomerCatalogue", "Names, files and places of blocks of a customer: a script of SQL")
            .Produces<string>(StatusCodes.Status200OK, FileCatalogueAnswer.ContentType);
    }
}
