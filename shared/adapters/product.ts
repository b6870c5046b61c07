/** How we name ourselves to services: their operators see whose calls they are in their logs and usage pages. */
export const product = { productName: 'azdo-batch-agents', productVersion: '0.1.0' } as const;
export const userAgent = `${product.productName}/${product.productVersion}`;
